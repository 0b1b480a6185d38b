"""Lines with a slider, and charts one above the other."""

from typing import Any

import polars as pl
import pytest

from rfcsim.charts import curves, stack, timeline
from rfcsim.errors import RfcsimError
from tests.charts.examples import intervals, rows

POINTS = pl.DataFrame(
    [
        (case, pages, pause, 1000.0 * pages * (case == "hand-over" or pause >= 40) + 50_000)
        for case in ("hand-over", "stolen")
        for pages in (16, 256)
        for pause in (0, 20, 40)
    ],
    ["case", "pages", "pause", "mean"],
    orient="row",
).with_columns(low=pl.col("mean") - 10, high=pl.col("mean") + 10)


def drawn(frame: pl.DataFrame = POINTS):
    return curves(
        frame,
        x="pages",
        line="case",
        slider="pause",
        x_title="pages of a piece",
        slider_title="pause (us)",
    )


def test_all_values_of_the_slider_are_in_the_chart_and_one_is_shown() -> None:
    spec = drawn().to_dict()
    (param,) = spec["params"]
    assert param["value"] == 0
    assert param["bind"] == {
        "input": "range",
        "min": 0,
        "max": 40,
        "step": 20,
        "name": "pause (us) ",
    }
    assert len(rows(drawn())) == len(POINTS)
    for layer in spec["layer"]:
        assert layer["transform"] == [{"filter": f"datum.at == {param['name']}"}]


def test_the_axis_reaches_over_all_values_so_that_it_stands_still() -> None:
    encoding: Any = drawn().to_dict()["layer"][0]["encoding"]
    assert encoding["x"]["scale"]["domain"] == [16, 256]
    assert encoding["y"]["scale"]["domain"] == [1e4, 1e6]


def test_the_description_has_both_ends_of_the_slider() -> None:
    assert drawn().to_dict()["description"] == (
        "Lines over pages of a piece, for pause (us) from 0 to 40."
        " At 0: hand-over from 66.0 us to 306 us; stolen from 50.0 us to 50.0 us."
        " At 40: hand-over from 66.0 us to 306 us; stolen from 66.0 us to 306 us."
    )


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (POINTS.drop("low"), "curves: there is no column 'low'"),
        (POINTS.clear(), "curves: 0 lines, must be 1 to 7"),
        (
            POINTS.filter(pl.col("pause") == 0),
            "curves: the slider's values must be two or more in equal steps",
        ),
        (
            POINTS.with_columns(pl.col("pause").replace(20, 10)),
            "curves: the slider's values must be two or more in equal steps",
        ),
    ],
)
def test_what_cannot_be_drawn_is_one_line(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        drawn(frame)
    assert str(caught.value) == message


def test_a_stack_has_the_words_of_its_charts() -> None:
    one = timeline(intervals(("a", "holding", "shared", 0, 5)))
    two = timeline(intervals(("b", "holding", "shared", 0, 7)))
    spec = stack(one, two).to_dict()
    assert len(spec["vconcat"]) == 2
    assert spec["description"] == f"{one.description} {two.description}"
    assert stack(one, two, description="mine").to_dict()["description"] == "mine"
    with pytest.raises(RfcsimError, match=r"^stack: 1 charts, must be two or more$"):
        stack(one)
