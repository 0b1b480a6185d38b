"""Commands on the clock: run, sweep, recommend."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rfcsim.cli.app import INTERRUPTED, InputError, app
from rfcsim.cli.arguments import MEASUREMENT, Costs, Force, Preset, assignment, read_scenario
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


@app.command()
def run(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A scenario file.")
    ] = None,
    preset: Preset = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    replications: Annotated[int, typer.Option(help="How many runs, for intervals.")] = 1,
    design: Annotated[
        str | None, typer.Option(help="How mlock() populates: exclusive, batched, ...")
    ] = None,
    batch_pages: Annotated[int | None, typer.Option(help="Pages per shared hold.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a field: tasks.reader.count=8"),
    ] = None,
    charts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write charts into this folder.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Write the trace of events.")
    ] = None,
    blame: Annotated[
        bool, typer.Option("--blame", help="Say also what the waits were due to, and to whom.")
    ] = False,
    trace_events: Annotated[
        int, typer.Option(help="Events that --trace and --blame keep.")
    ] = TRACE_EVENTS,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, times in ns.")] = False,
    force: Force = False,
) -> None:
    """Run a scenario, and print who waited for what, and how long."""
    for option, asked in (("--trace", trace is not None), ("--blame", blame)):
        if asked and replications > 1:
            raise InputError(f"{option}: only without --replications")
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


@app.command()
def sweep(
    file: Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="What to run; see below.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Keep every row in this file.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what is in that file, and begin anew.")
    ] = False,
    replications: Annotated[
        int | None, typer.Option(help="Runs a point, instead of the file's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the file's.")] = None,
    threads: Annotated[int | None, typer.Option(help="How many; one a CPU if not given.")] = None,
) -> None:
    """Run every combination of values, and print who waited for what at each.

    A sweep that was stopped, in whatever way, goes on when the same command is given again. Its
    file says what is varied:

    \b
        scenario = "anon-1gb"     # a preset, a scenario file, a list of them, or a table
        replications = 20
        seed = 1
        [over]                    # fields, as for run --set, and the values that they are to have
        batch_pages = [64, 256, 1024]
        tasks.worker.count = [1, 4]
        [[over.kernel]]           # what takes more than one field, by a name for each
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


@app.command()
def recommend(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A scenario file.")
    ] = None,
    p99_wait: Annotated[
        str, typer.Option("--p99-wait", metavar="TIME", help="What p99 may be: 1ms, 250us.")
    ] = "1ms",
    preset: Preset = None,
    from_measurement: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.parquet",
            help="For the kernel that was measured; measurement.parquet if nothing else is given.",
        ),
    ] = None,
    costs: Costs = None,
    confirm: Annotated[
        bool | None,
        typer.Option(
            "--confirm/--no-confirm",
            help="With a measurement: measure what is advised anew, which is done if not given.",
        ),
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="Of a scenario: runs for each size; 10 if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, times in ns.")] = False,
) -> None:
    """Find the batch, or the way to lock, that keeps others' waits short enough.

    Of a scenario: the batch or piece. Of a measurement: the call, the piece and the pause, and the
    lines to paste. Exit status 1 if there is none.
    """
    import rfcsim

    target_ns = rfcsim.nanoseconds(p99_wait)
    if scenario is None and preset is None:
        if from_measurement is None and not MEASUREMENT.exists():
            raise InputError(
                "a SCENARIO.toml, --preset NAME or --from-measurement FILE must be given, one of "
                f"them, or {MEASUREMENT} be here"
            )
        if replications is not None:
            raise InputError("--replications: only with a scenario")
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
            raise InputError(f"{option}: only without a scenario")
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
