"""Progress of a sweep: a function to call, which draws a bar on standard error."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rfcsim.errors import RfcsimError
from rfcsim.runs.simulate import Progress

NAME_COLUMNS = 24  # of a terminal


@contextmanager
def reporter(wanted: Progress | bool | None, what: str, runs: int) -> Iterator[Progress | None]:
    """Give the function to call with the share of the work that is done; None: nobody wants it.

    Parameters
    ----------
    wanted : callable, bool or None
        A callable is called itself. True draws a bar, False draws none. None draws a bar if
        standard error is a terminal, and not that of a CI job.
    what : str
        The name of the work, which the bar shows.
    runs : int
        The whole work, in runs.
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
    """Make a bar of rich, which is slow to import.

    `anywhere` draws it in a log file too, each state as it comes.
    """
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
    name = Column(no_wrap=True, max_width=NAME_COLUMNS, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} runs"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        # A run may take minutes, so all runs count for the time that remains, not the last alone.
        speed_estimate_period=math.inf,
    )
