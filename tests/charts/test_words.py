"""Durations, counts and shares in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.charts import words


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1 us"),
        (15_149_999, "15.1 ms"),
        (999_499, "999 us"),
        (999_500, "1 ms"),
        (876_000_000_000, "876 s"),
        (3_600_000_000_000, "3,600 s"),
    ],
)
def test_durations(duration_ns: int, text: str) -> None:
    assert words.duration(duration_ns) == text


@given(st.integers(1, 10**15))
def test_a_duration_is_said_to_three_digits(duration_ns: int) -> None:
    value, unit = words.duration(duration_ns).replace(",", "").split()
    assert float(value) * dict(words.UNITS)[unit] == pytest.approx(duration_ns, rel=0.005)
    assert unit == "s" or float(value) < 1000


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "<1 %"), (0.374, "37 %"), (0.9951, ">99 %"), (1, "100 %")],
)
def test_shares_are_0_and_100_only_where_it_is_so(share: float, text: str) -> None:
    assert words.percent(share) == text


def test_counts() -> None:
    assert words.count(1, "wait") == "1 wait"
    assert words.count(1204, "wait") == "1,204 waits"
