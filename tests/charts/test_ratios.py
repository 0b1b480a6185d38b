"""Ratios of what a model gives to what was observed."""

import polars as pl
import pytest

from rfcsim.charts import ratios
from rfcsim.errors import RfcsimError
from tests.charts.examples import rows

ROWS = pl.DataFrame(
    [
        ("formula", "mean wait", 1.01, 0.98, 1.04, False),
        ("published", "loop", 15.92, None, None, False),
        ("published", "incident", 1.0, None, None, True),
    ],
    ["kind", "what", "ratio", "low", "high", "fitted"],
    orient="row",
)


def test_rows_are_in_their_order_and_one_is_in_the_middle() -> None:
    spec = ratios(ROWS).to_dict()
    points = spec["layer"][3]["encoding"]
    assert points["y"]["scale"]["domain"] == ["mean wait", "loop", "incident"]
    low, high = points["x"]["scale"]["domain"]
    assert low * high == pytest.approx(1)
    assert low < 1 / 15.92 and high > 15.92


def test_the_band_is_as_wide_both_ways() -> None:
    (band,) = rows(ratios(ROWS, aim=2))
    assert band == {"ratio": 0.5, "to": 2}


def test_a_fitted_one_is_hollow_and_the_subtitle_says_so() -> None:
    spec = ratios(ROWS).to_dict()
    assert spec["layer"][4]["transform"] == [{"filter": "datum.fitted"}]
    assert [row["fitted"] for row in rows(ratios(ROWS), 3)] == [False, False, True]
    assert "Hollow" in spec["title"]["subtitle"]
    honest = ratios(ROWS.with_columns(fitted=pl.lit(False))).to_dict()
    assert honest["title"] == "Simulated by observed"


def test_the_description_names_the_farthest() -> None:
    assert ratios(ROWS).to_dict()["description"] == (
        "3 ratios, 2 of them between 0.77 and 1.3. Farthest from one: loop 15.9, mean wait 1.01."
    )


@pytest.mark.parametrize(
    ("frame", "aim", "message"),
    [
        (ROWS.drop("fitted"), 1.3, "ratios: there is no column 'fitted'"),
        (ROWS.clear(), 1.3, "ratios: 0 rows, must be 1 to 60"),
        (ROWS, 1.0, "aim = 1.0: must be above 1"),
        (ROWS.with_columns(what=pl.lit("same")), 1.3, "ratios: two rows are named 'same'"),
        (
            ROWS.with_columns(ratio=pl.Series([1.0, 0.0, 1.0])),
            1.3,
            "ratios: ratio of 'loop' must be above 0",
        ),
        (
            ROWS.with_columns(ratio=pl.Series([1.0, None, 1.0])),
            1.3,
            "ratios: ratio of 'loop' must be above 0",
        ),
    ],
)
def test_what_cannot_be_drawn_is_one_line(frame: pl.DataFrame, aim: float, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        ratios(frame, aim=aim)
    assert str(caught.value) == message
