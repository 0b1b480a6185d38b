"""Progress in plain text, without a bar: one line on standard error."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.runs.simulate import Progress

SECONDS_BETWEEN = 0.2


@contextmanager
def reporter(wanted: Progress | bool | None, what: str, runs: int) -> Iterator[Progress | None]:
    """Whom to tell how far a piece of work is.

    Parameters
    ----------
    wanted : callable, bool or None
        A callable is told itself. True writes a line, False does not. None writes one where
        somebody looks: standard error is a terminal, and not that of a CI job.
    what : str
        What the line begins with.
    runs : int
        What all of the work is, in runs.
    """
    if callable(wanted):
        yield wanted
        return
    if not isinstance(wanted, bool | None):
        raise RfcsimError(f"progress = {wanted!r}: must be true, false or something to call")
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if wanted is False or (wanted is None and (not terminal or "CI" in os.environ)):
        yield None
        return
    line = _Line(what, runs)
    try:
        yield line.update
    finally:
        line.end()


class _Line:
    """One line that is written over and over; what is left is its last state."""

    def __init__(self, what: str, runs: int) -> None:
        self._what = what
        self._runs = runs
        self._began = time.monotonic()
        self._first: float | None = None  # what was done before: a sweep that goes on
        self._due = self._began
        self._text = ""

    def update(self, share: float) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = share
        if now < self._due and share < 1:
            return
        self._due = now + SECONDS_BETWEEN
        text = f"{self._what}: {round(share * self._runs)} of {self._runs} runs"
        if self._first < share < 1:
            left_s = (now - self._began) * (1 - share) / (share - self._first)
            text += f", {human(left_s * 1e9)} left"
        # Spaces write over what is left of a longer text; Jupyter knows "\r", but no escapes.
        print("\r" + text.ljust(len(self._text)), end="", file=sys.stderr, flush=True)
        self._text = text

    def end(self) -> None:
        print(file=sys.stderr, flush=True)
