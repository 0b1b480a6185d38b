"""The recorded verdicts of SPIN, for notebooks that run where there is no SPIN."""

import polars as pl
from polars.testing import assert_frame_equal

from tests.spin.judge import CLAIMS
from tests.spin.recorded import FILE, rows


def test_the_recorded_verdicts_are_those_of_spin() -> None:
    recorded = pl.read_csv(FILE)
    assert_frame_equal(recorded, rows())
    sound = recorded.filter(mutant="none")
    assert set(sound["violated"]) == {"none"}
    assert set(recorded.filter(pl.col("mutant") != "none")["violated"]) == set(CLAIMS)
