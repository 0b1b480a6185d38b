"""Sizes of batches and pieces: the powers of two, and the search for the largest that will do."""

from bisect import bisect_left
from collections.abc import Callable, Sequence


def sizes(pages: int) -> list[int]:
    """The sizes to choose from, from the one that holds a whole range down to one page.

    Parameters
    ----------
    pages : int
        Of the range, 1 or more.

    Returns
    -------
    list of int
        Powers of two, two of them at least.
    """
    return [2**exponent for exponent in reversed(range(1 + max(1, (pages - 1).bit_length())))]


def largest(choice: Sequence[int], reaches: Callable[[int], bool]) -> int | None:
    """The largest size that reaches a target, found by halving.

    Parameters
    ----------
    choice : sequence of int
        Sizes, the largest first.
    reaches : callable
        Tells of one size whether it does. Where a size does, all smaller ones are taken to.

    Returns
    -------
    int or None
        None: no size does.
    """
    found = bisect_left(choice, True, key=reaches)
    return choice[found] if found < len(choice) else None
