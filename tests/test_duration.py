"""Durations as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.duration import human, nanoseconds
from rfcsim.errors import RfcsimError

SCALES = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "0"),
        (1, "1 ns"),
        (999, "999 ns"),
        (0.5, "0.50 ns"),
        (1_000, "1.00 us"),
        (9_994, "9.99 us"),
        (9_996, "10.0 us"),
        (99_960, "100 us"),
        (999_499, "999 us"),
        (999_500, "1.00 ms"),
        (43_200_000, "43.2 ms"),
        (59_900_000_000, "59.9 s"),
        (59_990_000_000, "1 min 00 s"),
        (876_000_000_000, "14 min 36 s"),
        (3_599_400_000_000, "1 h 00 min"),
        (7_500_000_000_000, "2 h 05 min"),
        (10**18, "277777 h 47 min"),
    ],
)
def test_durations_in_words(nanoseconds: float, words: str) -> None:
    assert human(nanoseconds) == words


@given(st.integers(1, 59 * 10**9))
def test_below_a_minute_three_digits_are_right(nanoseconds: int) -> None:
    value, unit = human(nanoseconds).split()
    assert float(value) * SCALES[unit] == pytest.approx(nanoseconds, rel=0.005)
    assert float(value) < 1000


@given(st.integers(60 * 10**9, 10**15))
def test_from_a_minute_on_the_smaller_unit_is_rounded(nanoseconds: int) -> None:
    large, large_unit, small, small_unit = human(nanoseconds).split()
    seconds = {("min", "s"): 1, ("h", "min"): 60}[large_unit, small_unit]
    said_ns = (int(large) * 60 + int(small)) * seconds * 10**9
    assert abs(said_ns - nanoseconds) <= seconds * 10**9 / 2
    assert int(small) < 60


@pytest.mark.parametrize(
    ("text", "value"),
    [("1ms", 10**6), ("250 us", 250_000), ("1.5s", 1_500_000_000), (" 7ns ", 7), ("0.2us", 200)],
)
def test_a_duration_is_read_with_its_unit(text: str, value: int) -> None:
    assert nanoseconds(text) == value


@pytest.mark.parametrize("text", ["", "1", "ms", "1m", "-1ms", "1 ms 2", "1,5ms"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(RfcsimError, match="must be a number with its unit"):
        nanoseconds(text)
