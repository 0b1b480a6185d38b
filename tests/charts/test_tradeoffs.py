"""Charts of batch sizes: where each mark is, and a slider that needs no running kernel."""

import polars as pl
import pytest

from rfcsim.charts import frontier, law
from rfcsim.errors import RfcsimError
from tests.charts.examples import frontier_points, law_frame


def rows(chart) -> list[dict]:
    (data,) = chart.to_dict()["datasets"].values()
    return data


def test_points_stand_at_their_time_relative_to_one_hold() -> None:
    data = rows(frontier(frontier_points(), over="load"))
    there = {(row["place"], row["way"], row["batch_pages"]): row for row in data}
    assert there[0, "pages", 256]["longer"] == 1.5
    assert there[0, "one hold", None]["longer"] == 1
    assert there[1, "pages", 16]["longer"] == 4
    assert there[0, "pages", 256]["wait_ns"] == 300_000


def test_256_and_the_designs_without_batches_are_large() -> None:
    data = rows(frontier(frontier_points(), over="load"))
    small = {(row["way"], row["batch_pages"]) for row in data if not row["large"]}
    assert small == {("pages", 16)}


def test_a_wait_of_zero_stands_at_the_foot_of_the_axis() -> None:
    data = rows(frontier(frontier_points(), over="load"))
    assert {row["wait_ns"] for row in data if row["way"] == "fault retry"} == {10_000}


@pytest.mark.parametrize(
    ("chart", "start", "place"),
    [
        (lambda **how: frontier(frontier_points(), over="load", words="threads", **how), 1, 0),
        (lambda **how: law(law_frame(), over="load", words="threads", **how), 4, 1),
    ],
    ids=["frontier", "law"],
)
def test_the_slider_is_part_of_the_chart(chart, start: int, place: int) -> None:
    spec = chart(start=start).to_dict()
    (parameter,) = spec["params"]
    assert parameter["name"] == "place" and parameter["value"] == place
    assert parameter["bind"] == {
        "input": "range",
        "min": 0,
        "max": 1,
        "step": 1,
        "name": "threads: ",
    }
    assert spec["title"]["text"]["expr"].endswith('["threads: 1", "threads: 4"][place] + \')\'')
    assert str(spec).count("datum.place == place") >= 3


def test_the_law_without_overhead_has_no_place_on_a_logarithmic_axis() -> None:
    frame = law_frame().with_columns(
        overhead=pl.when(pl.col("batch_pages") == 16).then(0.0).otherwise("overhead")
    )
    assert {row["batch_pages"] for row in rows(law(frame, over="load"))} == {256, 4096}


def test_simulated_points_stand_beside_the_line() -> None:
    runs = law_frame().select("load", "overhead", "mean_ns", low_ns="mean_ns", high_ns="mean_ns")
    spec = law(law_frame(), over="load", simulated=runs).to_dict()
    assert len(spec["layer"]) == 5 and len(spec["datasets"]) == 2


def test_the_description_says_what_256_does() -> None:
    described = frontier(frontier_points(), over="load", start=1).to_dict()["description"]
    assert "case, 256 pages: p99 of the others' waits 300 us" in described
    assert "256 pages: overhead 2 %" in law(law_frame(), over="load").to_dict()["description"]


@pytest.mark.parametrize("chart", [frontier, law])
def test_bad_input_is_one_line(chart) -> None:
    frame = frontier_points() if chart is frontier else law_frame()
    with pytest.raises(RfcsimError, match=r"^over = 'laod': must be a column of the frame$"):
        chart(frame, over="laod")
    with pytest.raises(RfcsimError, match=r"^over = 'load': has one value in the frame"):
        chart(frame.filter(pl.col("load") == 1), over="load")
    with pytest.raises(RfcsimError, match=r"^start = 3: must be one of 1, 4$"):
        chart(frame, over="load", start=3)


def test_a_frontier_needs_one_hold_to_compare_with() -> None:
    with pytest.raises(RfcsimError, match=r'^points: must have rows of the way "one hold"$'):
        frontier(frontier_points().filter(pl.col("way") != "one hold"), over="load")
