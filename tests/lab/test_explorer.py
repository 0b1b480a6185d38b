"""The explorer without a browser: what it chooses from, what it shows, what it refuses."""

from itertools import product
from typing import Any

import polars as pl
import pytest
import vl_convert

from rfcsim import RfcsimError, explorer, explorer_grid, human, simulate
from rfcsim.charts.explorer import NAMES
from rfcsim.lab.runs import ALLOWED, Chosen, rows_of, scenario_of

SMALL: dict[str, Any] = {
    "backing": ["memory", "disk"],
    "design": ["exclusive", "batched"],
    "lock_policy": ["fifo"],
    "batch_pages": [64, 256],
    "threads": [1, 2],
}


@pytest.fixture(scope="module")
def grid() -> dict[str, Any]:
    return explorer_grid(**SMALL).to_dict()


def test_a_control_changes_the_run() -> None:
    shown = explorer(batch_pages=64)
    before, number = dict(shown._picture.rows), shown._picture.shown
    shown._controls["batch_pages"].value = 1024
    assert shown.chosen == Chosen(batch_pages=1024)
    assert shown._picture.shown == number + 1
    assert shown._picture.rows != before
    assert set(shown._picture.rows) == set(NAMES) - {"said"}
    run = simulate(scenario_of(shown.chosen))
    assert f"worker {human(run.longest_wait('worker'))}" in shown._picture.said


def test_a_batch_is_chosen_only_where_there_are_batches() -> None:
    shown = explorer(design="exclusive")
    assert shown._controls["batch_pages"].disabled
    shown._controls["design"].value = "batched"
    assert not shown._controls["batch_pages"].disabled


def test_every_control_has_a_name() -> None:
    names = [control.description for control in explorer()._controls.values()]
    assert names == [field.replace("_", " ") for field in ALLOWED]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"backing": "tape"}, "backing = 'tape': known are memory, page cache, disk"),
        ({"design": "batche"}, "design = 'batche': did you mean batched?"),
        ({"threads": 17}, "threads = 17: must be one of 1, 2, 3"),
        ({"threads": True}, "threads = True: must be one of 1, 2, 3"),
        ({"batch_pages": 100}, "batch_pages = 100: must be one of 4, 8, 16"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        explorer(**wrong)
    assert str(caught.value).startswith(message)


def test_the_grid_has_every_run_once(grid: dict[str, Any]) -> None:
    said = pl.read_csv(grid["datasets"]["said"].encode())
    expected = {
        rows_of(chosen)["said"][0]["text"]
        for chosen in (Chosen(*values) for values in product(*SMALL.values()))
    }
    assert set(said["text"]) == expected
    assert len(said) == 12  # of 16 combinations: one hold has no batches


def test_the_controls_of_the_grid_say_which_run_is_shown(grid: dict[str, Any]) -> None:
    said = dict(pl.read_csv(grid["datasets"]["said"].encode()).iter_rows())
    *controls, cell = grid["params"]
    assert [control["bind"]["name"] for control in controls] == [
        f"{field.replace('_', ' ')}: " for field in SMALL
    ]
    for numbers in product(*(range(len(values)) for values in SMALL.values())):
        names = {control["name"]: number for control, number in zip(controls, numbers, strict=True)}
        shown = eval(cell["expr"], {}, names)  # the expression for Vega is also one for Python
        chosen = Chosen(*(SMALL[name][number] for name, number in names.items()))
        assert said[shown] == rows_of(chosen)["said"][0]["text"]


@pytest.mark.parametrize("version", ["5.8", "6.4"])
def test_the_grid_is_known_to_the_vega_lite_of_jupyterlab(
    grid: dict[str, Any], version: str
) -> None:
    vega = vl_convert.vegalite_to_vega(grid, vl_version=version)
    named = {data["name"] for data in vega["data"]}
    assert set(NAMES) <= named


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"threads": []}, "threads is empty: must have a value or more"),
        ({"threads": range(1, 17), "batch_pages": ALLOWED["batch_pages"]}, "7488 combinations:"),
        ({"design": ["batche"]}, "design = 'batche': did you mean batched?"),
    ],
)
def test_a_grid_that_cannot_be_is_one_line(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        explorer_grid(**asked)
    assert str(caught.value).startswith(message)
