"""A time in each cell: what it says, how dark the cell is, and that the time can be read on it."""

from typing import Any

import polars as pl
import pytest

from rfcsim.charts import matrix, theme
from rfcsim.errors import RfcsimError
from tests.charts.examples import rows
from tests.charts.test_theme import contrast

CELLS = pl.DataFrame(
    {
        "way": ["whole", "whole", "pieces", "pieces"],
        "lock_policy": ["fifo", "reader-stealing"] * 2,
        "kernels": ["2.6.36", None, None, "6.4"],
        "mean": [90e6, 90e6, 431e3, 8.2e6],
        "low": [89e6, 89e6, 431e3, 8.1e6],
        "high": [91e6, 91e6, 431e3, 8.3e6],
    }
)


def cells(frame: pl.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    return {(cell["row"], cell["column"]): cell for cell in rows(matrix(frame))}


def test_a_cell_says_its_time_its_interval_and_its_note() -> None:
    drawn = cells(CELLS)
    stolen = drawn["pieces", "reader-stealing"]
    assert (stolen["time"], stolen["margin"], stolen["note"]) == ("8.20 ms", "± 100 us", "6.4")
    assert drawn["pieces", "fifo"]["margin"] == "± 0"
    assert drawn["whole", "fifo"]["what"] == "whole, fifo: 90.0 ms ± 1.00 ms 2.6.36"


def test_the_longer_the_darker_by_its_logarithm() -> None:
    drawn = cells(CELLS)
    assert drawn["whole", "fifo"]["fill"] == theme.DARKEST
    assert drawn["pieces", "fifo"]["fill"] == theme.LIGHTEST
    middle = drawn["pieces", "reader-stealing"]["fill"]
    on_white = [contrast(fill, theme.GROUND) for fill in (theme.LIGHTEST, middle, theme.DARKEST)]
    assert on_white == sorted(on_white)
    # 8.2 ms is half-way between 431 us and 90 ms in factors, and a tenth of it in differences.
    assert contrast(middle, theme.LIGHTEST) > 2


@pytest.mark.parametrize("share", [n / 50 for n in range(51)])
def test_every_shade_can_be_written_on(share: float) -> None:
    fill, ink = theme.shade(share)
    assert contrast(fill, ink) >= 4.5


def test_who_never_asked_has_none_and_the_subtitle_says_what_it_means() -> None:
    never = CELLS.with_columns(
        pl.when(pl.col("way") == "pieces").then(None).otherwise(pl.col(name)).alias(name)
        for name in ("mean", "low", "high")
    )
    assert cells(never)["pieces", "fifo"]["time"] == "none"
    subtitle = matrix(never).to_dict()["title"]["subtitle"][0]
    assert subtitle.endswith("none: never asks for the lock")
    assert "none" not in matrix(CELLS).to_dict()["title"]["subtitle"][0]


def test_one_run_has_a_time_without_an_interval() -> None:
    single = CELLS.with_columns(pl.lit(None, pl.Float64()).alias(name) for name in ("low", "high"))
    assert {cell["margin"] for cell in rows(matrix(single))} == {""}


def test_the_description_has_the_extremes_and_the_kernels() -> None:
    assert matrix(CELLS).to_dict()["description"] == (
        "Table of times, 2 rows and 2 columns. Shortest: 431 us (pieces, fifo). Longest: 90.0 ms"
        " (whole, reader-stealing). 2.6.36 (whole, fifo): 90.0 ms."
        " 6.4 (pieces, reader-stealing): 8.20 ms."
    )


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (CELLS.drop("high"), "matrix: there is no column 'high'"),
        (CELLS.clear(), "matrix: 0 cells, must be 1 to 200"),
        (pl.concat([CELLS, CELLS]), "matrix: whole, fifo is there twice"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        matrix(frame)
    assert str(caught.value) == message
