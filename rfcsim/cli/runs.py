"""Commands on the clock: run, sweep, recommend."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rfcsim.cli.app import INTERRUPTED, InputError, command
from rfcsim.cli.arguments import (
    MEASUREMENT,
    Costs,
    Design,
    Force,
    Json,
    Preset,
    ScenarioFile,
    Seed,
    assignment,
    read_scenario,
)
from rfcsim.cli.blame import print_blame
from rfcsim.cli.files import check_output, parquet, write_new
from rfcsim.cli.recommend import recommend_from
from rfcsim.cli.terminal import print_table, progress

if TYPE_CHECKING:
    import polars as pl

    import rfcsim

CHARTS = ("timeline", "survival", "holds")
BLAME_CHARTS = ("blame", "blame_summary")
TIMELINE_EVENTS = 100_000
TRACE_EVENTS = 1_000_000


@command()
def run(
    scenario: ScenarioFile = None,
    preset: Preset = None,
    seed: Seed = 0,
    replications: Annotated[
        int, typer.Option(metavar="N", help="Number of runs; with several, intervals are printed.")
    ] = 1,
    design: Design = None,
    batch_pages: Annotated[
        int | None, typer.Option(metavar="PAGES", help="Pages that a shared hold populates.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a field, as in tasks.reader.count=8 (repeatable).",
        ),
    ] = None,
    charts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write charts to this folder.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE.parquet", help="Write the trace of events to this file."),
    ] = None,
    blame: Annotated[
        bool, typer.Option("--blame", help="Also print what caused the waits.")
    ] = False,
    trace_events: Annotated[
        int,
        typer.Option(metavar="N", help="Events that --trace and --blame keep, from the start on."),
    ] = TRACE_EVENTS,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Run a scenario, and print who waited, and for how long."""
    for option, asked in (("--trace", trace is not None), ("--blame", blame)):
        if asked and replications > 1:
            raise InputError(f"{option}: cannot be used with --replications")
    if trace is not None:
        check_output(trace, force)
    if charts is not None:
        for name in (*CHARTS, *BLAME_CHARTS) if blame else CHARTS:
            check_output(charts / f"{name}.html", force, makes_folder=True)
    import rfcsim

    case = read_scenario(scenario, preset)
    changes = dict(assignment(text) for text in set_ or [])
    if design is not None:
        changes["design"] = design
    if batch_pages is not None:
        changes["batch_pages"] = batch_pages
    case = case.replace(**changes)

    events = 0 if charts is None else TIMELINE_EVENTS
    if trace is not None or blame:
        events = trace_events
    with progress(case.name) as report:
        if replications == 1:
            found = first = rfcsim.simulate(case, seed=seed, trace=events, progress=report)
        else:
            found = rfcsim.replicate(case, replications, seed=seed, progress=report)
            first = rfcsim.simulate(case, seed=seed, trace=events) if events else found.results[0]
    if trace is not None:
        write_new(trace, parquet(first.trace))
    parts = rfcsim.blame(first.trace) if blame else None
    if charts is not None:
        _write_charts(charts, found, first, parts)
    if events and first.trace_dropped:
        kept = len(first.trace)
        print(
            f"rfcsim: note: the trace is full: the first {kept} of {kept + first.trace_dropped} "
            "events",
            file=sys.stderr,
        )
    if json_:
        print(json.dumps(_json(case, seed, found, parts), indent=1))
        return
    print_table(found.table())
    if parts is not None:
        print_blame(parts)


@command()
def sweep(
    file: Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="What to run; see above.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Write all rows to this file.")
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Start from the beginning, and discard the rows in that file."
        ),
    ] = False,
    replications: Annotated[
        int | None,
        typer.Option(metavar="N", help="Runs of each point. Default: as the file says."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed of the random numbers. Default: as the file says."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Number of threads. Default: one for each CPU.")
    ] = None,
) -> None:
    """Run every combination of values, and print the waits.

    If a sweep was stopped, in whatever way, the same command continues it, provided that --to was
    given. The file says what to vary:

    \b
        scenario = "anon-1gb"     # a preset, a scenario file, a list of them, or a table
        replications = 20
        seed = 1
        [over]                    # fields, named as in run --set, and their values
        batch_pages = [64, 256, 1024]
        tasks.worker.count = [1, 4]
        [[over.kernel]]           # a choice that sets several fields, with a name
        name = "2.6.36"
        design = "exclusive"
        [[over.kernel]]
        name = "RFC"
        design = "batched"
    """
    import rfcsim

    plan = rfcsim.read_sweep(file)
    try:
        with progress(file.stem) as report:
            rows = rfcsim.sweep(
                plan.scenarios,
                plan.over,
                replications=plan.replications if replications is None else replications,
                seed=plan.seed if seed is None else seed,
                threads=threads,
                to=to,
                fresh=fresh,
                progress=report or False,
            )
    except KeyboardInterrupt as interrupt:
        for note in getattr(interrupt, "__notes__", ()):
            print("rfcsim:", note, file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    print_table(rfcsim.sweep_table(rows))


@command()
def recommend(
    scenario: ScenarioFile = None,
    p99_wait: Annotated[
        str,
        typer.Option("--p99-wait", metavar="TIME", help="The target for p99: 1ms, 250us."),
    ] = "1ms",
    preset: Preset = None,
    from_measurement: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.parquet",
            help="Recommend for the kernel that was measured. Default, without a scenario: "
            "measurement.parquet.",
        ),
    ] = None,
    costs: Costs = None,
    confirm: Annotated[
        bool | None,
        typer.Option(
            "--confirm/--no-confirm",
            help="With a measurement: measure the recommended way again. Default: --confirm.",
        ),
    ] = None,
    replications: Annotated[
        int | None,
        typer.Option(metavar="N", help="With a scenario: runs for each size. Default: 10."),
    ] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Find how to lock memory so that others wait within a target.

    For a scenario: which batch or piece. For a measurement: which call, piece and pause, with lines
    to paste. The exit status is 1 if nothing keeps the target.
    """
    import rfcsim

    target_ns = rfcsim.nanoseconds(p99_wait)
    if scenario is None and preset is None:
        if from_measurement is None and not MEASUREMENT.exists():
            raise InputError(
                "give a SCENARIO.toml, --preset NAME or --from-measurement FILE, or have "
                f"{MEASUREMENT} in this folder"
            )
        if replications is not None:
            raise InputError("--replications: needs a scenario")
        measurement = from_measurement or MEASUREMENT
        if not recommend_from(measurement, costs, target_ns, confirm is not False, seed, json_):
            raise typer.Exit(1)
        return
    for option, given in (
        ("--from-measurement", from_measurement),
        ("--costs", costs),
        ("--confirm" if confirm else "--no-confirm", confirm),
    ):
        if given is not None:
            raise InputError(f"{option}: cannot be used with a scenario")
    case = read_scenario(scenario, preset)
    with progress(case.name) as report:
        found = rfcsim.recommend(
            case,
            p99_wait_ns=target_ns,
            replications=10 if replications is None else replications,
            seed=seed,
            progress=report,
        )
    if json_:
        head = {"p99_wait_ns": target_ns, "unit": found.unit, "pages": found.pages}
        print(json.dumps(head | {"text": found.text, "trials": found.trials.to_dicts()}, indent=1))
    else:
        print_table(found.table())
        print(found.text)
    if found.pages is None:
        raise typer.Exit(1)


def _write_charts(
    folder: Path,
    found: "rfcsim.Result | rfcsim.Replications",
    first: "rfcsim.Result",
    parts: "pl.DataFrame | None",
) -> None:
    import rfcsim

    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "timeline": rfcsim.charts.timeline(first.trace),
        "survival": rfcsim.charts.survival(found.histogram),
        "holds": rfcsim.charts.holds(found.histogram),
    }
    if parts is not None:
        drawn["blame"] = rfcsim.charts.blame(first.trace)
        drawn["blame_summary"] = rfcsim.charts.blame_summary(parts)
    for name, chart in drawn.items():
        rfcsim.charts.save(chart, folder / f"{name}.html")


def _json(
    case: "rfcsim.Scenario",
    seed: int,
    found: "rfcsim.Result | rfcsim.Replications",
    parts: "pl.DataFrame | None",
) -> dict[str, Any]:
    import rfcsim

    head = {"scenario": case.model_dump(mode="json"), "seed": seed}
    frames = {name: getattr(found, name).to_dicts() for name in ("waits", "holds", "calls")}
    if parts is not None:
        frames["blame"] = rfcsim.blame_summary(parts).to_dicts()
    if isinstance(found, rfcsim.Result):
        return head | {"elapsed_ns": found.elapsed_ns, "events": found.events} | frames
    return head | {"summary": found.summary().to_dicts()} | frames
