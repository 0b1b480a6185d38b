"""Counts and shares in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.words import count, percent


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "<1 %"), (0.374, "37 %"), (0.9951, ">99 %"), (1, "100 %")],
)
def test_shares_are_0_and_100_only_if_they_are_exactly_that(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0.0 %"),
        (0.0004, "<0.1 %"),
        (0.0005, "0.1 %"),
        (0.3743, "37.4 %"),
        (0.9995, ">99.9 %"),
        (1, "100.0 %"),
    ],
)
def test_a_share_can_have_a_digit_after_the_point(share: float, text: str) -> None:
    assert percent(share, 1) == text


@given(st.floats(0, 1), st.integers(0, 3))
def test_no_share_is_rounded_to_0_or_100(share: float, digits: int) -> None:
    text = percent(share, digits)
    number = float(text.strip("<> %"))
    assert (number == 0) == (share == 0)
    assert (number == 100) == (share == 1)
    assert abs(number - 100 * share) <= 10**-digits


def test_counts() -> None:
    assert count(1, "wait") == "1 wait"
    assert count(0, "wait") == "0 waits"
    assert count(1204, "wait") == "1,204 waits"
