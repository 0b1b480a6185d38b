"""Commands on what comes with the package: presets, costs, scenario."""

from typing import Annotated

import typer

from rfcsim.cli.app import command
from rfcsim.cli.arguments import Preset, ScenarioFile, read_scenario
from rfcsim.cli.terminal import print_lines, print_table


@command()
def presets() -> None:
    """List the scenarios that come with the package."""
    import rfcsim

    print("To run:")
    print_lines(rfcsim.presets())
    print("\nSmall enough to check:")
    print_lines(rfcsim.check_scenarios())


@command()
def costs(
    name: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="The name of a table, or its path.")
    ] = None,
) -> None:
    """List the cost tables, or print one table with its sources."""
    import rfcsim

    if name is None:
        print_lines(rfcsim.cost_tables())
    else:
        print_table(rfcsim.load_costs(name).frame())


@command()
def scenario(
    file: ScenarioFile = None,
    preset: Preset = None,
) -> None:
    """Print a scenario as TOML, as a start for your own."""
    print(read_scenario(file, preset).to_toml(), end="")
