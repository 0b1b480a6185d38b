"""Commands on a real kernel: measure, record, timeline, perfetto."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfcsim.cli.app import command
from rfcsim.cli.arguments import MEASUREMENT, Force, Trace
from rfcsim.cli.blame import print_blame
from rfcsim.cli.files import check_output, write_new
from rfcsim.cli.terminal import print_table, progress


@command()
def measure(
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE.parquet", help="Where to write the measurement."
        ),
    ] = MEASUREMENT,
    pages: Annotated[
        int, typer.Option(metavar="N", help="Pages of the range that is made present.")
    ] = 65_536,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="How: mlock, onfault-populate, touch, ... (repeatable)."),
    ] = None,
    piece_pages: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Pages of one call (repeatable). Default: the range."),
    ] = None,
    pause_us: Annotated[
        list[float] | None,
        typer.Option(metavar="US", help="Pause between two calls, in microseconds (repeatable)."),
    ] = None,
    victim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Who waits: mmap, fault, maps, ... (repeatable)."),
    ] = None,
    placement: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="CPU of the victim: same or other (repeatable)."),
    ] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Priority of the victim: normal or fifo (repeatable)."),
    ] = None,
    backing: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What is made present: anonymous, huge or file."),
    ] = None,
    repetitions: Annotated[
        int, typer.Option(metavar="N", help="How often each setting is measured.")
    ] = 3,
    alone: Annotated[
        bool,
        typer.Option("--alone/--no-alone", help="Time single operations too, for costs."),
    ] = True,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the victims' think times.")] = 0,
    force: Force = False,
) -> None:
    """Measure who waits for mmap_lock on this kernel.

    Memory is locked or populated, and other threads do what has to wait for that. Without options
    on what to measure: whole ranges by each method, every victim, and pieces of all sizes, in about
    two minutes.
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
    print(f"rfcsim: note: {output} has the whole measurement", file=sys.stderr)


@command(context_settings={"allow_interspersed_args": False})
def record(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="TRACE.txt", help="Where to write the trace.")
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Run this program, and record it."),
    ] = None,
    pid: Annotated[
        int | None, typer.Option(metavar="PID", help="Record this running process.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Stop after this time.")
    ] = None,
    buffer_kib: Annotated[
        int, typer.Option(metavar="KIB", help="Size of the buffer for events of each CPU.")
    ] = 16_384,
    force: Force = False,
) -> None:
    """Record who takes mmap_lock in a program.

    Ctrl-C ends the recording. It needs tracefs, and so root.
    """
    check_output(output, force)
    import rfcsim

    trace = rfcsim.record(command or None, pid=pid, seconds=seconds, buffer_kib=buffer_kib)
    write_new(output, trace.encode())


@command()
def timeline(
    trace: Trace,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="A .html, .png, .svg or .json file."),
    ],
    blame: Annotated[
        bool, typer.Option("--blame", help="Draw and print what caused the waits.")
    ] = False,
    force: Force = False,
) -> None:
    """Draw, from a trace, who held mmap_lock and who waited."""
    check_output(output, force)
    import rfcsim

    events = rfcsim.read_trace(trace)
    draw = rfcsim.charts.blame if blame else rfcsim.charts.timeline
    rfcsim.charts.save(draw(events), output)
    if blame:
        print_blame(rfcsim.blame(events))


@command()
def perfetto(
    trace: Trace,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.json", help="Where to write the JSON.")
    ],
    force: Force = False,
) -> None:
    """Write a trace as JSON for Perfetto or chrome://tracing."""
    check_output(output, force)
    import rfcsim

    rfcsim.write_perfetto(rfcsim.read_trace(trace), output)
