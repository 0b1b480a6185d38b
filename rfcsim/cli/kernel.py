"""Commands on a real kernel: measure, record, timeline, perfetto."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfcsim.cli.app import app
from rfcsim.cli.arguments import MEASUREMENT, Force, Trace
from rfcsim.cli.blame import print_blame
from rfcsim.cli.files import check_output, write_new
from rfcsim.cli.terminal import print_table, progress


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
    check_output(output, force)
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
    write_new(output, buffer.getvalue())
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
    check_output(output, force)
    import rfcsim

    trace = rfcsim.record(command or None, pid=pid, seconds=seconds, buffer_kib=buffer_kib)
    write_new(output, trace.encode())


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
    check_output(output, force)
    import rfcsim

    events = rfcsim.read_trace(trace)
    draw = rfcsim.charts.blame if blame else rfcsim.charts.timeline
    rfcsim.charts.save(draw(events), output)
    if blame:
        print_blame(rfcsim.blame(events))


@app.command()
def perfetto(
    trace: Trace,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.json", help="For ui.perfetto.dev.")
    ],
    force: Force = False,
) -> None:
    """Write a trace as JSON for Perfetto or chrome://tracing."""
    check_output(output, force)
    import rfcsim

    rfcsim.write_perfetto(rfcsim.read_trace(trace), output)
