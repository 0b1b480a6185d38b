"""Event frames for Perfetto and chrome://tracing: the Trace Event Format, as JSON.

Source: "Trace Event Format", by Google (docs.google.com/document/d/
1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.files import save_whole
from rfcsim.trace.frame import lock_intervals, require_events
from rfcsim.version import __version__

# A process is a group of tracks there, and a thread is a track.
CPUS = "CPUs"
DISK = "disk"
_VERBS = {"waiting": "waits for", "holding": "holds"}


def write_perfetto(events: pl.DataFrame, path: str | Path) -> None:
    """Write a trace for ui.perfetto.dev or chrome://tracing: a track for each task.

    A task's track has its calls and, in them, its waits for the lock and its holds. Simulated
    traces also have a track for each CPU, and the reads of the disk. Whatever has no end in the
    trace is cut at the last event and has the argument `open`.

    Parameters
    ----------
    events : polars.DataFrame
        An event frame (rfcsim.trace.frame.EVENT_SCHEMA), of the simulator or of a real kernel.
    path : str or pathlib.Path
        The JSON file.

    Raises
    ------
    RfcsimError
        If there is no event, or the file cannot be written.
    """
    require_events("write_perfetto", events)
    if events.is_empty():
        raise RfcsimError("write_perfetto: the frame has no events")
    document = {
        "traceEvents": list(_trace_events(events)),
        "displayTimeUnit": "ns",
        "otherData": {"version": f"rfcsim {__version__}"},
    }
    save_whole(path, json.dumps(document, allow_nan=False, separators=(",", ":")).encode())


def _trace_events(events: pl.DataFrame) -> Iterator[dict[str, Any]]:
    last_ns = int(events["time_ns"].to_numpy().max())
    tracks = _Tracks(events)
    slices = [*_locks(events, tracks), *_calls(events, tracks, last_ns)]
    slices += _cpus(events, tracks, last_ns)
    reads = list(_disk(events, tracks, last_ns))
    yield from tracks.names()
    # A slice comes before those that lie in it.
    yield from sorted(slices, key=lambda slice_: (slice_["ts"], -slice_["dur"]))
    yield from reads


class _Tracks:
    """The numbers of processes and threads, in the order in which they first appear."""

    def __init__(self, events: pl.DataFrame) -> None:
        self._processes: dict[str, int] = {}
        self._threads: dict[tuple[int, str], int] = {}
        of_lock = events.filter(pl.col("lock").is_not_null())
        # A call, say, names no lock: it is on the track of its task, with the first one's.
        first = of_lock.group_by("task", maintain_order=True).agg(pl.col("lock").first())
        self._lock_of = dict(first.iter_rows())

    def of_task(self, task: str, lock: str | None = None) -> dict[str, int]:
        lock = lock or self._lock_of.get(task)
        return self.of(task, f"lock {lock}" if lock else "tasks")

    def of(self, thread: str, process: str) -> dict[str, int]:
        pid = self._processes.setdefault(process, len(self._processes) + 1)
        tid = self._threads.setdefault((pid, thread), len(self._threads) + 1)
        return {"pid": pid, "tid": tid}

    def names(self) -> Iterator[dict[str, Any]]:
        for process, pid in self._processes.items():
            yield _metadata("process_name", process, pid, 0)
        for (pid, thread), tid in self._threads.items():
            yield _metadata("thread_name", thread, pid, tid)


def _metadata(kind: str, name: str, pid: int, tid: int) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "ts": 0, "args": {"name": name}}


def _slice(
    track: dict[str, int], kind: str, name: str, start_ns: int, end_ns: int, **args: Any
) -> dict[str, Any]:
    """A complete event; the format counts microseconds."""
    given = {key: value for key, value in args.items() if value not in (None, False)}
    times = {"ts": start_ns / 1000, "dur": (end_ns - start_ns) / 1000}
    return {"ph": "X", "cat": kind, "name": name, **track, **times, "args": given}


def _locks(events: pl.DataFrame, tracks: _Tracks) -> Iterator[dict[str, Any]]:
    for row in lock_intervals(events).iter_rows(named=True):
        yield _slice(
            tracks.of_task(row["task"], row["lock"]),
            row["state"],
            f"{_VERBS[row['state']]} the lock, {row['mode']}",
            row["start_ns"],
            row["end_ns"],
            open=row["open"],
        )


def _calls(events: pl.DataFrame, tracks: _Tracks, last_ns: int) -> Iterator[dict[str, Any]]:
    begun: dict[str, tuple[int, str]] = {}
    calls = events.filter(pl.col("event").is_in(["call_begin", "call_end"]))
    for row in calls.iter_rows(named=True):
        task = row["task"]
        if row["event"] == "call_begin":
            begun[task] = row["time_ns"], row["call"]
        elif task in begun:
            start_ns, call = begun.pop(task)
            track = tracks.of_task(task)
            yield _slice(track, "call", call, start_ns, row["time_ns"], returned=row["value"])
    for task, (start_ns, call) in begun.items():
        yield _slice(tracks.of_task(task), "call", call, start_ns, last_ns, open=True)


def _cpus(events: pl.DataFrame, tracks: _Tracks, last_ns: int) -> Iterator[dict[str, Any]]:
    running: dict[int, tuple[int, str]] = {}
    for row in events.filter(pl.col("event").is_in(["run", "stop"])).iter_rows(named=True):
        cpu = row["cpu"]
        track = tracks.of(f"CPU {cpu}", CPUS)
        if row["event"] == "run":
            running[cpu] = row["time_ns"], row["task"]
        elif cpu in running:
            start_ns, task = running.pop(cpu)
            yield _slice(track, "cpu", task, start_ns, row["time_ns"])
    for cpu, (start_ns, task) in running.items():
        track = tracks.of(f"CPU {cpu}", CPUS)
        yield _slice(track, "cpu", task, start_ns, last_ns, open=True)


def _disk(events: pl.DataFrame, tracks: _Tracks, last_ns: int) -> Iterator[dict[str, Any]]:
    """Reads, of which several may be under way: asynchronous events."""
    number = 0
    under_way: dict[tuple[int, int], int] = {}
    for row in events.filter(pl.col("event").str.starts_with("disk_")).iter_rows(named=True):
        first, count = row["value"], row["count"]
        if row["event"] == "disk_start":
            number += 1
            under_way[first, count] = number
            yield _async("b", number, first, count, row["time_ns"], tracks)
        elif (first, count) in under_way:
            done = under_way.pop((first, count))
            yield _async("e", done, first, count, row["time_ns"], tracks)
    for (first, count), open_ in under_way.items():
        yield _async("e", open_, first, count, last_ns, tracks)


def _async(
    phase: str, number: int, first: int, count: int, time_ns: int, tracks: _Tracks
) -> dict[str, Any]:
    return {
        "ph": phase,
        "cat": DISK,
        "id": number,
        "name": f"read {count} pages",
        **tracks.of(DISK, DISK),
        "ts": time_ns / 1000,
        "args": {"first page": first},
    }
