"""What comes with the package: presets, costs, scenarios."""

from pathlib import Path
from typing import Annotated

import typer

from rfcsim.cli.app import app
from rfcsim.cli.arguments import Preset, read_scenario
from rfcsim.cli.terminal import print_lines, print_table


@app.command()
def presets() -> None:
    """List the scenarios that come with the package."""
    import rfcsim

    print_lines(rfcsim.presets())


@app.command()
def costs(
    name: Annotated[str | None, typer.Argument(help="A table, or the path of one.")] = None,
) -> None:
    """List the cost tables, or print one with its sources."""
    import rfcsim

    if name is None:
        print_lines(rfcsim.cost_tables())
    else:
        print_table(rfcsim.load_costs(name).frame())


@app.command()
def scenario(
    file: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A scenario file.")
    ] = None,
    preset: Preset = None,
) -> None:
    """Print a scenario as TOML, to start from."""
    print(read_scenario(file, preset).to_toml(), end="")
