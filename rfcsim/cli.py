"""The command `rfcsim`: who waited for mmap_sem, and how long.

Everything but typer is imported inside the commands, so that --help is quick.
"""

import errno
import io
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from rfcsim.terminal import counter, print_lines, print_table, progress

if TYPE_CHECKING:
    import polars as pl

    import rfcsim

BAD_INPUT = 2
BROKEN_PIPE = 1
INTERRUPTED = 130

CHARTS = ("timeline", "survival", "holds")
BLAME_CHARTS = ("blame", "blame_summary")
TIMELINE_EVENTS = 100_000
TRACE_EVENTS = 1_000_000
MEASUREMENT = Path("measurement.parquet")

app = typer.Typer(
    name="rfcsim",
    help="Who waits for mmap_sem while mlock() runs: a simulator.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="A preset.")]
Trace = Annotated[
    Path,
    typer.Argument(
        metavar="TRACE",
        help="Of a kernel: trace, trace_pipe, trace-cmd report, perf script; or of `run --trace`.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]


class InputError(Exception):
    """Bad input that the command itself finds; one line."""


def main() -> None:
    """Run the command; bad input is one line on standard error and exit status 2."""
    # A stream that is closed is None, and print() would write to the other one.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    sys.exit(_run())


def _run() -> int:
    try:
        status = app(prog_name="rfcsim", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except TyperException as error:
        return _complain(error.format_message())
    except BrokenPipeError:
        _give_up_stdout()
        return BROKEN_PIPE
    except OSError as error:
        _give_up_stdout()
        return _complain(f"{error.filename or 'standard output'}: {error.strerror}")
    except InputError as error:
        return _complain(str(error))
    except ValueError as error:
        import rfcsim

        if not isinstance(error, rfcsim.RfcsimError):
            raise
        return _complain(str(error))
    return status or 0


def _complain(message: str) -> int:
    print("rfcsim: error:", " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _give_up_stdout() -> None:
    """Let nothing try once more to write what could not be written, when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _print_version(wanted: bool) -> None:
    if wanted:
        import rfcsim

        print(f"rfcsim {rfcsim.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="The version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def run(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A scenario file.")
    ] = None,
    preset: Preset = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    replications: Annotated[int, typer.Option(help="How many runs, for intervals.")] = 1,
    design: Annotated[str | None, typer.Option(help="exclusive or batched.")] = None,
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
        _check_output(trace, force)
    if charts is not None:
        for name in (*CHARTS, *BLAME_CHARTS) if blame else CHARTS:
            _check_output(charts / f"{name}.html", force, makes_folder=True)
    import rfcsim

    case = _scenario(scenario, preset)
    changes = dict(_assignment(text) for text in set_ or [])
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
        _write_new(trace, _parquet(first.trace))
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
        _print_blame(parts)


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
    replications: Annotated[int, typer.Option(help="Runs for each size.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, times in ns.")] = False,
) -> None:
    """Find the batch that keeps others' waits short enough. Exit status 1 if there is none."""
    import rfcsim

    target_ns = rfcsim.nanoseconds(p99_wait)
    case = _scenario(scenario, preset)
    with progress(case.name) as report:
        found = rfcsim.recommend(
            case, p99_wait_ns=target_ns, replications=replications, seed=seed, progress=report
        )
    if json_:
        head = {"p99_wait_ns": target_ns, "unit": found.unit, "pages": found.pages}
        print(json.dumps(head | {"text": found.text, "trials": found.trials.to_dicts()}, indent=1))
    else:
        print_table(found.table())
        print(found.text)
    if found.pages is None:
        raise typer.Exit(1)


@app.command()
def check(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="A small scenario.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="One of --list.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the scenarios there are.")] = False,
    design: Annotated[str | None, typer.Option(help="exclusive or batched.")] = None,
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
        case = _scenario(scenario, preset)
    if design is not None:
        case = case.replace(design=design)
    if replay is not None:
        print_table(rfcsim.replay(case, replay, policy=policy))
        return
    with counter(case.name) as report:
        found = rfcsim.check(case, policy=policy, most_gib=memory_gib, progress=report)
    print(f"{case.name}: {found.states:,} states, {len(found.outcomes)} outcomes")
    print_table(found.verdicts())
    if trace:
        for schedule in dict.fromkeys(found.schedules.values()):
            print(f"schedule {schedule!r} violates", ", ".join(found.violated_by(schedule)))
            print_table(rfcsim.replay(case, schedule, policy=policy))
    if found.schedules:
        raise typer.Exit(1)


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
    print(_scenario(file, preset).to_toml(), end="")


@app.command()
def measure(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="Where to keep it.")
    ] = MEASUREMENT,
    pages: Annotated[int, typer.Option(help="Range that is made present.")] = 65_536,
    method: Annotated[
        list[str] | None, typer.Option(help="How: mlock, onfault-populate, touch, ... (several).")
    ] = None,
    piece_pages: Annotated[
        list[int] | None, typer.Option(help="Pages of one call (several); the range: one call.")
    ] = None,
    pause_us: Annotated[
        list[float] | None, typer.Option(help="Pause between two pieces (several).")
    ] = None,
    victim: Annotated[
        list[str] | None, typer.Option(help="Who waits: mmap, fault, maps, ... (several).")
    ] = None,
    placement: Annotated[
        list[str] | None, typer.Option(help="CPU of the victim: same, other (several).")
    ] = None,
    priority: Annotated[
        list[str] | None, typer.Option(help="Of the victim: normal, fifo (several).")
    ] = None,
    backing: Annotated[
        str | None, typer.Option(help="What is made present: anonymous, huge or file.")
    ] = None,
    repetitions: Annotated[int, typer.Option(help="How often each is measured.")] = 3,
    alone: Annotated[
        bool, typer.Option("--alone/--no-alone", help="Time single operations too, for costs.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Seed of the victims' think times.")] = 0,
    force: Force = False,
) -> None:
    """Measure on this kernel who waits for mmap_lock while memory is locked or populated.

    Without options on what to measure, whole ranges by each method, every victim, and pieces of all
    sizes: about two minutes.
    """
    _check_output(output, force)
    import rfcsim

    chosen = {
        "methods": method,
        "pieces": piece_pages,
        "pauses_us": pause_us,
        "victims": victim,
        "placements": placement,
        "priorities": priority,
        "backing": backing,
    }
    chosen = {name: values for name, values in chosen.items() if values}
    asked = rfcsim.probes(pages=pages, **chosen) if chosen else rfcsim.standard_probes(pages)
    with progress("measuring") as report:
        found = rfcsim.measure(
            asked, repetitions=repetitions, alone=alone, seed=seed, progress=report
        )
    buffer = io.BytesIO()
    found.write(buffer)
    _write_new(output, buffer.getvalue())
    print_table(found.table())
    if found.provenance["left_out"]:
        print("rfcsim: note: left out:", found.provenance["left_out"], file=sys.stderr)
    print(f"rfcsim: note: {output} has all of it", file=sys.stderr)


@app.command(context_settings={"allow_interspersed_args": False})
def record(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="TRACE.txt", help="Where to write the trace.")
    ],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND ...]", help="A program to run.")
    ] = None,
    pid: Annotated[int | None, typer.Option(help="A process that runs already.")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so long.")] = None,
    buffer_kib: Annotated[int, typer.Option(help="Room for events, of each CPU.")] = 16_384,
    force: Force = False,
) -> None:
    """Record who takes mmap_lock, of a command or of a process; Ctrl-C ends it. Needs tracefs."""
    _check_output(output, force)
    import rfcsim

    trace = rfcsim.record(command or None, pid=pid, seconds=seconds, buffer_kib=buffer_kib)
    _write_new(output, trace.encode())


@app.command()
def timeline(
    trace: Trace,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="A .html, .png, .svg or .json file."),
    ],
    blame: Annotated[
        bool, typer.Option("--blame", help="Draw, and print, what the waits were due to.")
    ] = False,
    force: Force = False,
) -> None:
    """Draw who held mmap_lock and who waited for it, from a trace."""
    _check_output(output, force)
    import rfcsim

    events = rfcsim.read_trace(trace)
    draw = rfcsim.charts.blame if blame else rfcsim.charts.timeline
    rfcsim.charts.save(draw(events), output)
    if blame:
        _print_blame(rfcsim.blame(events))


@app.command()
def rerun(
    notebook: Annotated[
        str | None, typer.Argument(metavar="NOTEBOOK", help="Its number, name or path.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="Change a parameter."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.ipynb", help="Default: NOTEBOOK-rerun.ipynb"),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the notebooks and their parameters.")
    ] = False,
    force: Force = False,
) -> None:
    """Execute a notebook with your own numbers, and write it as a new one."""
    import nbformat

    import rfcsim

    if list_:
        print_table(rfcsim.notebooks())
        return
    if notebook is None:
        raise InputError("a NOTEBOOK must be given (or --list)")
    source = rfcsim.find_notebook(notebook)
    output = output or Path(f"{source.stem}-rerun.ipynb")
    _check_output(output, force)
    changes = dict(_assignment(text, "-p") for text in parameters or [])
    done = rfcsim.rerun_notebook(source, changes, progress=sys.stderr.isatty())
    _write_new(output, nbformat.writes(done).encode())
    print(output)


def _print_blame(parts: "pl.DataFrame") -> None:
    import rfcsim

    if parts.is_empty():
        print("Nobody waited.")
    else:
        print_table(rfcsim.blame_table(parts))


@app.command()
def perfetto(
    trace: Trace,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.json", help="For ui.perfetto.dev.")
    ],
    force: Force = False,
) -> None:
    """Write a trace as JSON for Perfetto or chrome://tracing."""
    _check_output(output, force)
    import rfcsim

    rfcsim.write_perfetto(rfcsim.read_trace(trace), output)


def _scenario(file: Path | None, preset: str | None) -> "rfcsim.Scenario":
    if (file is None) == (preset is None):
        raise InputError("a SCENARIO.toml or --preset NAME must be given, one of the two")
    import rfcsim

    return rfcsim.preset(preset) if preset is not None else rfcsim.Scenario.from_toml(str(file))


def _assignment(text: str, option: str = "--set") -> tuple[str, Any]:
    """Read KEY=VALUE; the value as TOML, or as it is where it is none."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InputError(f"{option} {text}: must be KEY=VALUE")
    try:
        table = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, table["value"] if len(table) == 1 else value


def _check_output(file: Path, force: bool, makes_folder: bool = False) -> None:
    """Refuse before the work what could not be written, or would overwrite something, after it."""
    if file.is_dir():
        raise InputError(f"{file}: is a folder, must be a file")
    if file.exists() and not force:
        raise InputError(f"{file}: exists, must be new (or give --force)")
    folder = file.parent
    if makes_folder:
        folder = next(path for path in file.parents if path.exists())
    if not folder.is_dir():
        raise InputError(f"{folder}: {'is no folder' if folder.exists() else 'no such folder'}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: {os.strerror(errno.EACCES)}")


def _write_new(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, file)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _parquet(frame: "pl.DataFrame") -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


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
