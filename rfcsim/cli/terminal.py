"""What the command prints: progress, tables and lists.

Rich is imported where it is used, so that --help is quick.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

WIDE = 160  # columns, where the output is no terminal
SOURCE_WIDTH = 30  # columns, at least, of a cost's source


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None] | None]:
    """A bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def counter(what: str) -> Iterator[Callable[[int], None] | None]:
    """A running count of states on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield lambda count: status.update(f"{what}: {count:,} states")


def print_table(frame: "pl.DataFrame") -> None:
    """Print a frame as a table, or where the terminal is too narrow for one, field by field."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if terminal else WIDE, markup=False, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    rows = [["" if cell is None else str(cell) for cell in row] for row in frame.iter_rows()]
    needed = 0
    for index, (name, dtype) in enumerate(frame.schema.items()):
        # Only the text of a source may be broken into lines.
        longest = max(len(name), *(len(row[index]) for row in rows), 1)
        width = SOURCE_WIDTH if name == "source" else longest
        needed += width + 2
        right = dtype.is_numeric() or name in ("p50", "p99", "p99.9", "max", "total", "share")
        table.add_column(
            name, justify="right" if right else "left", min_width=width, overflow="fold"
        )
    if needed <= console.width:
        for row in rows:
            table.add_row(*row)
        console.print(table)
        return
    for row in rows:
        console.print()
        for name, cell in zip(frame.columns, row, strict=True):
            console.print(f"{name}: {cell}")


def print_lines(lines: dict[str, str]) -> None:
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        print(f"{name:{width}}  {text}")
