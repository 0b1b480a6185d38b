"""Predicted against measured: every cell is drawn, and those that are off can be told apart."""

from typing import Any

import polars as pl
import pytest

from rfcsim.charts import predictions
from rfcsim.charts.theme import ACCENT, INK
from rfcsim.errors import RfcsimError
from tests.charts.examples import CELLS, FACTORS


def drawn(cells: pl.DataFrame = CELLS, **how: Any):
    return predictions(cells, factors=FACTORS, **how)


def rows() -> list[dict[str, Any]]:
    """The rows that the panels are drawn from."""
    spec = drawn().to_dict()
    return spec["datasets"][spec["data"]["name"]]


def test_every_cell_of_the_quantities_is_drawn_and_misses_are_named() -> None:
    cells = [row for row in rows() if row["kind"] == "cell"]
    assert [(row["quantity"], row["missed"], row["pages"]) for row in cells] == [
        ("p50", False, ""),
        ("p50", True, "16"),
        ("p99", False, ""),
        ("p99", True, "256"),
    ]
    assert cells[1]["what"] == "pieces of 16: 1.40 us predicted, 1.00 us measured"
    mark = drawn().to_dict()["spec"]["layer"][1]["encoding"]
    assert mark["color"] == {
        "condition": {"test": "datum.missed", "value": ACCENT},
        "value": INK,
    }


def test_the_lines_are_where_the_factors_are_and_stay_in_the_panel() -> None:
    for quantity, factor in FACTORS.items():
        lines = [row for row in rows() if row["kind"] == "line" and row["quantity"] == quantity]
        for name, ratio in (("equal", 1), ("above", factor), ("below", 1 / factor)):
            ends = [row for row in lines if row["pages"] == name]
            assert len(ends) == 2
            for end in ends:
                assert end["predicted_ns"] / end["measured_ns"] == pytest.approx(ratio)
                assert 999 < end["measured_ns"] < 1_000_001
                assert 999 < end["predicted_ns"] < 1_000_001


def test_the_words_count_what_is_within() -> None:
    spec = drawn().to_dict()
    counted = "p50 within a factor of 1.3 in 1 of 2; p99 within a factor of 2 in 1 of 2"
    assert spec["title"]["subtitle"] == counted
    assert spec["description"] == (
        f"Predicted against measured times: {counted}. Furthest off is the p99 of pieces of 256: "
        "900 us predicted, 50.0 us measured."
    )
    assert drawn(description="Else.").to_dict()["description"] == "Else."


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (CELLS.drop("ratio"), "predictions: there is no column 'ratio'"),
        (CELLS.filter(pl.col("quantity") != "p99"), "predictions: there is no cell of 'p99'"),
    ],
)
def test_bad_input(cells: pl.DataFrame, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        drawn(cells)
    assert str(caught.value) == message
