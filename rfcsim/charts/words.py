"""Units, and texts that have room, as the charts write them."""

from collections.abc import Sequence

from rfcsim import duration

LETTER_PIXELS = 6.5  # the average width of a letter of the charts' text

UNITS = tuple((unit, scale) for scale, unit in reversed(duration.UNITS))


def unit_of(duration_ns: float) -> tuple[str, int]:
    """The largest unit of which a duration has at least one, and its length in ns."""
    return next((unit for unit in UNITS if duration_ns >= unit[1]), UNITS[-1])


def fitting(texts: Sequence[str], beside: str, width: int) -> str:
    """The first of these texts that has room beside another text; "" if none has."""
    room = width / LETTER_PIXELS - 1.1 * len(beside) - 2  # the other one is bold
    return next((text for text in texts if len(text) <= room), "")
