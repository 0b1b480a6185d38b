"""Commands on a measurement: calibrate and validate."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rfcsim.cli.app import command
from rfcsim.cli.arguments import COSTS, MEASUREMENT, Costs, Force, Seed
from rfcsim.cli.files import check_output, parquet, write_new
from rfcsim.cli.recommend import measurement_of, table_of
from rfcsim.cli.terminal import print_table, progress

Measured = Annotated[
    Path, typer.Argument(metavar="MEASUREMENT.parquet", help="A file of `rfcsim measure`.")
]


@command()
def calibrate(
    measurement: Measured = MEASUREMENT,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="COSTS.toml", help="Where to write the table."),
    ] = COSTS,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the table.")] = "measured",
    force: Force = False,
) -> None:
    """Make a cost table from a measurement.

    It comes from whole ranges and single operations. Runs in pieces are not looked at.
    """
    check_output(output, force)
    import rfcsim

    found = rfcsim.calibrate(measurement_of(measurement), name=name)
    write_new(output, found.table.to_toml().encode())
    print_table(found.table_in_words())
    print(f"rfcsim: note: {output} has the whole table", file=sys.stderr)


@command()
def validate(
    measurement: Measured = MEASUREMENT,
    costs: Costs = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Write all cells to this file.")
    ] = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Predict a measurement's runs in pieces, and compare.

    The prediction comes from everything else in the measurement. Each cell is
    "predicted : measured = ratio".
    """
    if to is not None:
        check_output(to, force)
    import rfcsim

    measured = measurement_of(measurement)
    table = table_of(costs, measurement)
    with progress("predicting") as report:
        found = rfcsim.validate(measured, table, seed=seed, progress=report)
    if to is not None:
        write_new(to, parquet(found.cells))
    print_table(found.table())
    left_out = found.left_out
    for method, backing, victim, probes in left_out.iter_rows():
        print(f"not predicted: {method}, {backing} memory, victim {victim} ({probes} probes)")
    print(found.text)
