"""Read what a real kernel's mmap_lock tracepoints wrote to the `trace` file of tracefs."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple, NoReturn

import polars as pl

from rfcsim.errors import TraceError
from rfcsim.events import EVENT_SCHEMA

_HEADER = "# tracer:"
_ENTRIES = re.compile(r"# entries-in-buffer/entries-written: (\d+)/(\d+)\b")
_KEPT = re.compile(r"# entries-kept: (\d+)\b")

# Columns of the file: TASK-PID, (TGID) with option record-tgid, CPU#, flags with option irq-info,
# TIMESTAMP, FUNCTION. A comm may hold blanks and dashes.
_EVENT = re.compile(
    r"\s*(?P<comm>\S.*)-(?P<tid>\d+)\s+(?:\([ \d-]+\)\s+)?\[(?P<cpu>\d+)\]\s+(?:\S{4,6}\s+)?"
    r"(?P<seconds>\d+)\.(?P<microseconds>\d{6}): (?P<name>\w+):(?P<fields>.*)"
)
_FIELDS = re.compile(
    r" mm=(?P<mm>\S+) memcg_(?:path|id)=.*? ?write=(?P<write>true|false)"
    r"(?: success=(?P<success>true|false))?"
)
_TRACEPOINTS = {
    "mmap_lock_start_locking": "start_locking",
    "mmap_lock_acquire_returned": "acquire_returned",
    "mmap_lock_released": "released",
}
_UNKNOWN_COMM = "<...>"


class _Row(NamedTuple):
    time_ns: int
    tid: str
    event: str
    mode: str
    mm: str
    cpu: int


def read_trace(path: str | Path, *, mm: str | None = None, absolute: bool = False) -> pl.DataFrame:
    """Read the mmap_lock events of one address space from a trace of a real kernel.

    The file is the text of `trace` in tracefs, with the tracepoints of `events/mmap_lock` on and a
    clock in seconds (`mono`, `local`, `global`, `boot`). It must be complete: with as many event
    lines as its header counts. A trace that was filtered after it was recorded says so in a header
    line `# entries-kept: N`.

    Parameters
    ----------
    path : str or pathlib.Path
    mm : str, optional
        The address space, as the trace prints it. By default the one with the most events, of
        equals the first.
    absolute : bool
        Keep the stamps of the kernel's clock; by default time counts from the first line.

    Returns
    -------
    polars.DataFrame
        An event frame (rfcsim.events.EVENT_SCHEMA). Times are exact to the microsecond of the
        trace. `task` is "comm-tid", `class` the comm, `lock` the mm.

    Raises
    ------
    TraceError
        If the file is missing, cut off or no such trace, if events were lost, or if it has none of
        the tracepoints.

    Source: include/trace/events/mmap_lock.h and kernel/trace/trace.c, 5.11 and later.
    """
    lines = _read_lines(path)
    rows, comms = _parse(path, lines)
    found = Counter(row.mm for row in rows)
    if mm is None:
        mm = found.most_common(1)[0][0]
    elif mm not in found:
        raise TraceError(f"{path}: mm is {mm!r}, but the trace has only {', '.join(found)}")
    zero_ns = 0 if absolute else rows[0].time_ns
    return pl.DataFrame(
        [
            {
                "time_ns": row.time_ns - zero_ns,
                "task": f"{comms[row.tid]}-{row.tid}",
                "class": comms[row.tid],
                "event": row.event,
                "mode": row.mode,
                "lock": row.mm,
                "cpu": row.cpu,
            }
            for row in rows
            if row.mm == mm
        ],
        schema=EVENT_SCHEMA,
    )


def _fail(path: str | Path, line: int, text: str) -> NoReturn:
    raise TraceError(f"{path}, line {line}: {text}")


def _read_lines(path: str | Path) -> list[str]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    lines = text.split("\n")
    if not lines[0].startswith(_HEADER):
        _fail(path, 1, f"expected {_HEADER!r}, as `trace` of tracefs begins, got {lines[0][:40]!r}")
    if lines.pop():
        _fail(path, len(lines) + 1, "expected a complete line, but the file ends in the middle")
    return lines


def _parse(path: str | Path, lines: list[str]) -> tuple[list[_Row], dict[str, str]]:
    """Read every line; return the mmap_lock events and the comm of each thread."""
    rows: list[_Row] = []
    comms: dict[str, str] = {}
    expected: tuple[int, int] | None = None  # event lines, and the header line that says so
    events = 0
    latest_ns = 0
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            expected = _header(path, number, line) or expected
            continue
        match = _EVENT.fullmatch(line)
        if match is None:
            _fail(path, number, f"expected 'comm-tid [cpu] flags s.us: event: ...', got {line!r}")
        events += 1
        time_ns = int(match["seconds"]) * 1_000_000_000 + int(match["microseconds"]) * 1_000
        if time_ns < latest_ns:
            _fail(path, number, f"time {match['seconds']}.{match['microseconds']} runs backwards")
        latest_ns = time_ns
        # A thread may change its name or have none in a line: the last one known counts.
        if match["comm"] != _UNKNOWN_COMM or match["tid"] not in comms:
            comms[match["tid"]] = match["comm"]
        if match["name"] in _TRACEPOINTS:
            rows.append(_row(path, number, match, time_ns))

    if expected is None:
        _fail(path, 1, "expected a header line '# entries-in-buffer/entries-written: N/N'")
    if events != expected[0]:
        _fail(
            path,
            expected[1],
            f"expected {expected[0]} event lines, got {events}: cut off? "
            "(a filtered trace says '# entries-kept: N')",
        )
    if not rows:
        _fail(
            path,
            expected[1],
            f"expected events {', '.join(_TRACEPOINTS)}, got none in {events} event lines",
        )
    return rows, comms


def _header(path: str | Path, number: int, line: str) -> tuple[int, int] | None:
    """Return how many event lines a header line promises, with its number, if it says that."""
    if match := _ENTRIES.match(line):
        left, written = int(match[1]), int(match[2])
        if left < written:
            _fail(
                path,
                number,
                f"{written - left} of {written} entries were lost: record with a larger "
                "buffer_size_kb",
            )
        return left, number
    if match := _KEPT.match(line):
        return int(match[1]), number
    return None


def _row(path: str | Path, number: int, match: re.Match[str], time_ns: int) -> _Row:
    event = _TRACEPOINTS[match["name"]]
    fields = _FIELDS.fullmatch(match["fields"])
    # Only an acquisition says whether it succeeded.
    if fields is None or (fields["success"] is not None) != (event == "acquire_returned"):
        wanted = " mm=... memcg_...=... write=true|false"
        if event == "acquire_returned":
            wanted += " success=true|false"
        _fail(path, number, f"expected{wanted}, got{match['fields']}")
    if fields["success"] == "false":
        event = "acquire_failed"
    mode = "exclusive" if fields["write"] == "true" else "shared"
    return _Row(time_ns, match["tid"], event, mode, fields["mm"], int(match["cpu"]))
