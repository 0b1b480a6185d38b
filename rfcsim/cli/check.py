"""The command on all orders of steps: check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rfcsim.cli.app import app
from rfcsim.cli.arguments import read_scenario
from rfcsim.cli.terminal import counter, print_lines, print_table

if TYPE_CHECKING:
    import polars as pl


@app.command()
def check(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A small scenario.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="One of --list.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the scenarios there are.")] = False,
    design: Annotated[str | None, typer.Option(help="exclusive, batched, ...")] = None,
    policy: Annotated[str, typer.Option(help="any (sound for all) or fifo.")] = "any",
    memory_gib: Annotated[float, typer.Option(help="What the states may take.")] = 4.0,
    trace: Annotated[bool, typer.Option("--trace", help="Print the schedules found.")] = False,
    replay: Annotated[
        str | None, typer.Option(metavar="'A5 B3'", help="Print this schedule instead.")
    ] = None,
) -> None:
    """Try all orders of steps: which claims hold? Exit status 1 if one does not."""
    import rfcsim

    if list_:
        print_lines(rfcsim.check_scenarios())
        return
    if scenario is None and preset is not None:
        case = rfcsim.check_scenario(preset)
    else:
        case = read_scenario(scenario, preset)
    if design is not None:
        case = case.replace(design=design)
    if replay is not None:
        _print_schedule(rfcsim.replay(case, replay, policy=policy))
        return
    with counter(case.name) as report:
        found = rfcsim.check(case, policy=policy, most_gib=memory_gib, progress=report)
    outcomes = len(found.outcomes)
    print(f"{case.name}: {found.states:,} states, {outcomes} outcome{'s' * (outcomes != 1)}")
    print_table(found.verdicts())
    if trace:
        for schedule in dict.fromkeys(found.schedules.values()):
            print(f"schedule {schedule!r} violates", ", ".join(found.violated_by(schedule)))
            _print_schedule(rfcsim.replay(case, schedule, policy=policy))
    if found.schedules:
        raise typer.Exit(1)


def _print_schedule(steps: "pl.DataFrame") -> None:
    print_table(steps)
    print("Where nothing stands under did, no other task can see what the step did.")
