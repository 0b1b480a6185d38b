"""How far a piece of work is: a bar on standard error, or somebody who is told."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rfcsim.errors import RfcsimError
from rfcsim.runs.simulate import Progress

LONGEST_NAME = 24  # columns of a terminal, of what the bar is for


@contextmanager
def reporter(wanted: Progress | bool | None, what: str, runs: int) -> Iterator[Progress | None]:
    """Whom to tell how far a piece of work is.

    Parameters
    ----------
    wanted : callable, bool or None
        A callable is told itself. True draws a bar, False does not. None draws one where somebody
        looks: standard error is a terminal, and not that of a CI job.
    what : str
        What the bar is for.
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
    with _bar(wanted is True) as bar:
        task = bar.add_task(what, total=runs)
        yield lambda share: bar.update(task, completed=round(share * runs))


def _bar(anywhere: bool):
    """A bar of rich, which is slow to import; `anywhere`: in a log file, too, while it grows."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    console = Console(stderr=True)
    if anywhere and not console.is_jupyter:
        console = Console(stderr=True, force_terminal=True)
    name = Column(no_wrap=True, max_width=LONGEST_NAME, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} runs"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        # A run may take minutes: the time that remains is by all of them, not by the last ones.
        speed_estimate_period=math.inf,
    )
