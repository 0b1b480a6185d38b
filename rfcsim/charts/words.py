"""Units, counts and shares as the charts write them."""

from collections.abc import Sequence

LETTER_PIXELS = 6.5  # the average width of a letter of the charts' text

UNITS = (("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))


def unit_of(duration_ns: float) -> tuple[str, int]:
    """The largest unit of which a duration has at least one, and its length in ns."""
    return next((unit for unit in UNITS if duration_ns >= unit[1]), UNITS[-1])


def count(number: int, noun: str) -> str:
    """Write a number of things: "1 wait", "1,204 waits"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Write a share as a percentage that is 0 or 100 only if the share is exactly 0 or 1."""
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{share:.0%}".replace("%", " %")


def fitting(texts: Sequence[str], beside: str, width: int) -> str:
    """The first of these texts that has room beside another text; "" if none has."""
    room = width / LETTER_PIXELS - 1.1 * len(beside) - 2  # the other one is bold
    return next((text for text in texts if len(text) <= room), "")
