"""Counts and shares in words."""

import pytest

from rfcsim.charts import words


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "<1 %"), (0.374, "37 %"), (0.9951, ">99 %"), (1, "100 %")],
)
def test_shares_are_0_and_100_only_where_it_is_so(share: float, text: str) -> None:
    assert words.percent(share) == text


def test_counts() -> None:
    assert words.count(1, "wait") == "1 wait"
    assert words.count(1204, "wait") == "1,204 waits"
