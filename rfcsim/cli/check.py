"""The command on all orders of steps: check."""

from typing import TYPE_CHECKING, Annotated

import typer

from rfcsim.cli.app import command
from rfcsim.cli.arguments import Design, Preset, ScenarioFile, read_scenario
from rfcsim.cli.terminal import counter, print_lines, print_table

if TYPE_CHECKING:
    import polars as pl


@command()
def check(
    scenario: ScenarioFile = None,
    preset: Preset = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the presets that are small enough to check.")
    ] = False,
    design: Design = None,
    policy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How the lock is granted: any (every order that a lock may choose) or fifo.",
        ),
    ] = "any",
    memory_gib: Annotated[
        float, typer.Option(metavar="GIB", help="Memory that the states may take.")
    ] = 4.0,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print the schedules that break a claim, step by step.")
    ] = False,
    replay: Annotated[
        str | None,
        typer.Option(metavar="'A5 B3'", help="Only print this schedule, step by step."),
    ] = None,
) -> None:
    """Try every order of steps, and say which claims hold.

    The exit status is 1 if a claim does not hold.
    """
    import rfcsim

    if list_:
        print_lines(rfcsim.check_scenarios())
        return
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
    print("If the column did is empty, no other task can see what the step did.")
