"""Counts and shares as people read them."""


def count(number: int, noun: str) -> str:
    """Write a number of things: "1 wait", "1,204 waits"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage that is 0 or 100 only if the share is exactly that.

    Parameters
    ----------
    share : float
        0 to 1.
    digits : int
        Digits after the point: "<1 %" and ">99 %", or "<0.1 %" and ">99.9 %".
    """
    least = 10**-digits  # percent, the smallest that it can write besides 0
    if 0 < share < least / 200:
        return f"<{least:.{digits}f} %"
    if 1 - least / 200 <= share < 1:
        return f">{100 - least:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"
