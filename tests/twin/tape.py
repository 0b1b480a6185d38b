"""Random choices, read from a string of bytes.

Drawing each choice from Hypothesis would take longer than the runs do, and most of its examples
would be copies of one another with a part replaced. A string of bytes it draws in no time, a new
one for each example, and it still shrinks that to the simplest that fails.
"""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Tape:
    """Bytes, each good for one choice. A zero chooses the first option, and so does the end."""

    def __init__(self, content: bytes) -> None:
        self.bytes = iter(content)

    def pick(self, options: Sequence[T]) -> T:
        """One of at most 256 options, the simplest first."""
        return options[next(self.bytes, 0) * len(options) >> 8]

    def integer(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return self.pick(range(low, high + 1))

    def seldom(self) -> bool:
        """Is this the one time out of four?"""
        return self.pick([False, False, False, True])
