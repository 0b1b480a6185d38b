"""Sizes of batches and pieces, and the search among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.scenario.sizes import largest, sizes


@pytest.mark.parametrize(
    ("pages", "expected"),
    [(1, [2, 1]), (2, [2, 1]), (3, [4, 2, 1]), (4, [4, 2, 1]), (5, [8, 4, 2, 1])],
)
def test_sizes_from_the_whole_range_down(pages: int, expected: list[int]) -> None:
    assert sizes(pages) == expected


@given(st.integers(1, 2**31))
def test_the_first_size_is_the_least_that_holds_the_range(pages: int) -> None:
    first, second, *_ = sizes(pages)
    assert second < max(2, pages) <= first
    assert sizes(pages)[-1] == 1


@given(st.integers(1, 2**31), st.integers(0, 2**32))
def test_the_largest_that_reaches_a_target_is_found_by_halving(pages: int, limit: int) -> None:
    """Against the definition, where smaller sizes reach what larger ones do."""
    choice = sizes(pages)
    asked: list[int] = []

    def reaches(size: int) -> bool:
        asked.append(size)
        return size <= limit

    assert largest(choice, reaches) == max((s for s in choice if s <= limit), default=None)
    assert len(asked) == len(set(asked)) <= len(choice).bit_length()


@given(st.integers(1, 2**20), st.randoms(use_true_random=False))
def test_where_it_is_not_so_what_is_found_was_tried_and_the_next_was_not_found_to(
    pages: int, chance
) -> None:
    choice = sizes(pages)
    told: dict[int, bool] = {}

    def reaches(size: int) -> bool:
        return told.setdefault(size, chance.random() < 0.5)

    found = largest(choice, reaches)
    if found is None:
        assert not any(told.values())
    else:
        assert told[found]
        assert found == choice[0] or told[2 * found] is False


def test_there_may_be_nothing_to_choose_from() -> None:
    assert largest([], lambda size: True) is None
