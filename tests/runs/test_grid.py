"""The grid of a sweep: every combination in a fixed order, and bad values in one line."""

import numpy as np
import polars as pl
import pytest

from rfcsim.data import data_path
from rfcsim.errors import RfcsimError
from rfcsim.runs.grid import build_grid
from rfcsim.scenario.costs import load_costs
from tests.runs.examples import SMALL

KERNELS = {
    "2.6.36": {"design": "exclusive"},
    "RFC": {"design": "batched", "tasks.victim.count": 2},
}


def test_the_last_axis_is_the_innermost() -> None:
    grid = build_grid(SMALL, {"batch_pages": [8, 4], "cpus": [1, 2, 3]}, [])
    assert grid.frame().rows() == [("small", b, c) for b in (8, 4) for c in (1, 2, 3)]
    for point in grid.points:
        expected = SMALL.replace(batch_pages=point.values["batch_pages"], cpus=point.values["cpus"])
        assert point.scenario == expected


def test_values_may_be_of_any_kind_and_come_from_anywhere() -> None:
    over = {
        "design": ("exclusive", "batched"),
        "cap_ipc_lock": iter([True, False]),
        "rlimit_memlock_pages": [None, 10],
        "tasks.victim.count": np.arange(1, 3),
        "regions.data.pages": range(100, 102),
        "costs": pl.Series(["anon-2010", "hdd-2010"]),
    }
    grid = build_grid(SMALL, over, [])
    assert dict(grid.frame().schema) == {
        "scenario": pl.String(),
        "design": pl.String(),
        "cap_ipc_lock": pl.Boolean(),
        "rlimit_memlock_pages": pl.Int64(),
        "tasks.victim.count": pl.Int64(),
        "regions.data.pages": pl.Int64(),
        "costs": pl.String(),
    }
    assert len(grid.points) == 2**6
    last = grid.points[-1]
    assert last.scenario.tasks[1].count == 2
    assert last.scenario.regions[0].pages == 101
    assert last.scenario.rlimit_memlock_pages == 10
    assert np.array_equal(last.costs, load_costs("hdd-2010").values)


def test_variants_change_several_fields_under_one_name() -> None:
    grid = build_grid(SMALL, {"kernel": KERNELS, "batch_pages": [8, 16]}, [])
    assert grid.frame()["kernel"].to_list() == ["2.6.36", "2.6.36", "RFC", "RFC"]
    assert grid.points[3].scenario == SMALL.replace(
        design="batched", batch_pages=16, **{"tasks.victim.count": 2}
    )
    assert grid.points[3].words() == 'kernel = "RFC", batch_pages = 16'


def test_several_scenarios_are_the_outermost_axis() -> None:
    other = SMALL.replace(name="other", cpus=1)
    grid = build_grid([SMALL, other], {"batch_pages": [8, 16]}, [])
    assert grid.frame()["scenario"].to_list() == ["small", "small", "other", "other"]
    assert [point.scenario.cpus for point in grid.points] == [2, 2, 1, 1]
    assert [point.words() for point in build_grid([SMALL, other], {}, []).points] == [
        'scenario = "small"',
        'scenario = "other"',
    ]


def test_the_fingerprint_is_of_what_a_run_depends_on(tmp_path) -> None:
    def fingerprint(**changes) -> str:
        (point,) = build_grid(SMALL.replace(**changes), {"cpus": [2]}, []).points
        return point.fingerprint

    first = fingerprint()
    assert fingerprint(name="other", description="in other words") == first
    assert fingerprint(batch_pages=8) != first
    own = tmp_path / "own.toml"
    own.write_text(data_path("costs", "anon-2010").read_text())
    assert fingerprint(costs=str(own)) == first
    own.write_text(own.read_text().replace("value = 390", "value = 391"))
    assert fingerprint(costs=str(own)) != first


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({}, "over is empty: must map at least one field to a list of values"),
        ({"batch_pages": []}, "over.batch_pages is empty: must have at least one value"),
        ({"kernel": {}}, "over.kernel is empty: must have at least one value"),
        ([("cpus", [1])], "over = [...]: must map fields to lists of values"),
        ({"design": "batched"}, 'over.design = "batched": must be a list of values'),
        ({"batch_pages": 8}, "over.batch_pages = 8: must be a list of values"),
        ({"batch_pages": [8, 4, 8]}, "over.batch_pages = 8: is given twice, must be given once"),
        ({"cpus": [1, True]}, "over.cpus = [1, True]: must be values of one kind"),
        (
            {"cpus": [[1]]},
            "over.cpus = [...]: must be a number, text, true or false; "
            "to change several fields, give variants",
        ),
        ({"kernel": {"RFC": 8}}, "over.kernel.RFC = 8: must map fields to values"),
        ({"seed": [1, 2]}, "over.seed: must be a field, or variants need another name"),
        (
            {"kernel": KERNELS, "design": ["exclusive"]},
            "over.design: changes design, as over.kernel does; only one may",
        ),
        (
            {"batch_page": [8]},
            "batch_page: unknown key; did you mean batch_pages? (at batch_page = 8)",
        ),
        ({"batch_pages": [8, 0]}, "batch_pages = 0: must be 1 or more (at batch_pages = 0)"),
        (
            {"cpus": [2, 1], "tasks.victim.cpu": [1]},
            "tasks[1].cpu = 1: must be 0 (cpus - 1) or less (at cpus = 1, tasks.victim.cpu = 1)",
        ),
        (
            {"costs": ["hdd-2011"]},
            "costs: no table 'hdd-2011'; there are anon-2010, hdd-2010, nvme, page-cache-2010, "
            'vm-6.18, or a path to a .toml (at costs = "hdd-2011")',
        ),
    ],
)
def test_a_bad_grid_is_one_line(over, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        build_grid(SMALL, over, ["seed"])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ([], "scenario is empty: must be at least one scenario"),
        ("anon-1gb", 'scenario = "anon-1gb": must be a Scenario, or several'),
        (8, "scenario = 8: must be a Scenario, or several"),
        ([SMALL, SMALL], 'scenario "small": is given twice, each must have a name of its own'),
    ],
)
def test_bad_scenarios_are_one_line(scenarios, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        build_grid(scenarios, {"cpus": [1]}, [])
    assert str(caught.value) == message
