"""The tables of blame, of a run or a trace."""

from typing import TYPE_CHECKING

from rfcsim.cli.terminal import print_table

if TYPE_CHECKING:
    import polars as pl


def print_blame(parts: "pl.DataFrame") -> None:
    import rfcsim

    if parts.is_empty():
        print("Nobody waited.")
    else:
        print_table(rfcsim.blame_table(parts))
