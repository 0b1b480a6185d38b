"""Read the mmap_lock events of a real kernel from a file of tracefs, trace-cmd or perf."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple, NoReturn

import polars as pl

from rfcsim.errors import TraceError
from rfcsim.trace.frame import EVENT_SCHEMA

_ENTRIES = re.compile(r"# entries-in-buffer/entries-written: (\d+)/(\d+)\b")
_KEPT = re.compile(r"# entries-kept: (\d+)\b")
_LOST = re.compile(
    r"(?:.*: +)?CPU:\d+ \[(?:LOST \d+ EVENTS|(?:\d+ )?EVENTS DROPPED)\].*|.* PERF_RECORD_LOST.*"
)
_PARQUET = b"PAR1"

_TIME = r"(?P<seconds>\d+)\.(?P<fraction>\d{6}(?:\d{3})?): "
# Columns of ftrace: TASK-PID, (TGID) with option record-tgid, CPU#, flags with option irq-info,
# TIMESTAMP, FUNCTION. A comm may hold blanks and dashes.
_FTRACE_LINE = (
    r"\s*(?P<comm>\S.*)-(?P<tid>\d+)\s+(?:\([ \d-]+\)\s+)?\[(?P<cpu>\d+)\]\s+(?:\S{4,6}\s+)?"
    + _TIME
    + r"(?P<name>\w+):(?P<fields>.*)"
)
# Columns of perf: comm, tid or pid/tid, cpu, time, perhaps a period, subsystem:event.
_PERF_LINE = (
    r"\s*(?P<comm>\S.*?)\s+(?:\d+/)?(?P<tid>\d+)\s+\[(?P<cpu>\d+)\]\s+"
    + _TIME
    + r"\s*(?:\d+\s+)?\w+:(?P<name>\w+):(?P<fields>.*)"
)
_FIELDS = re.compile(
    r"\s*mm=(?P<mm>\S+) memcg_(?:path|id)=.*? ?write=(?P<write>true|false)"
    r"(?: success=(?P<success>true|false))?\s*"
)
_TRACEPOINTS = {
    "mmap_lock_start_locking": "start_locking",
    "mmap_lock_acquire_returned": "acquire_returned",
    "mmap_lock_released": "released",
}
_UNKNOWN_COMM = "<...>"


class _Format(NamedTuple):
    """One form in which events are written down."""

    line: re.Pattern[str]  # an event
    expected: str  # the same, in words
    skipped: re.Pattern[str]  # lines that are no events
    counted: bool = False  # its header says how many events there are
    ordered: bool = True  # its events are in the order of time


_TRACE = _Format(
    re.compile(_FTRACE_LINE),
    "comm-tid [cpu] flags s.us: event: ...",
    re.compile("#.*"),
    counted=True,
)
# The kernel hands out the events of the CPUs as they come, not in the order of time.
_TRACE_PIPE = _TRACE._replace(counted=False, ordered=False)
_TRACE_CMD = _Format(
    # Events of an instance begin with its name; a comm has at most 15 of its 16 columns.
    re.compile(r"(?:[^\s:]+:\s{2,})?" + _FTRACE_LINE),
    "comm-tid [cpu] s.us: event: ...",
    re.compile(r"version = \d+|cpus=\d+|CPU:? ?\d+ is empty"),
)
_PERF = _Format(
    re.compile(_PERF_LINE),
    "comm tid [cpu] s.us: mmap_lock:event: ...",
    # Comments of --header, and the frames of a stack.
    re.compile(r"#.*|\s*|\t.*"),
)


class _Row(NamedTuple):
    time_ns: int
    tid: str
    event: str
    mode: str
    mm: str
    cpu: int


def read_trace(path: str | Path, *, mm: str | None = None, absolute: bool = False) -> pl.DataFrame:
    """Read the mmap_lock events of one address space from a trace of a real kernel.

    The file is the text of `trace` or `trace_pipe` of tracefs, of `trace-cmd report` or of
    `perf script`, recorded with the tracepoints of `events/mmap_lock` on, with stamps in seconds. A
    `trace` must be complete: it must have as many event lines as its header counts. A trace that
    was filtered after it was recorded says so in a header line `# entries-kept: N`. The other forms
    do not count their events, so a missing end is noticed only if the file is cut off in the middle
    of a line.

    A simulated trace, the Parquet file that `rfcsim run --trace` writes, is read as it is.

    Parameters
    ----------
    path : str or pathlib.Path
    mm : str, optional
        The address space, as the trace prints it. By default the one with the most events, or the
        first of several with as many.
    absolute : bool
        Whether to keep the stamps of the kernel's clock; by default time counts from the first
        mmap_lock event.

    Returns
    -------
    polars.DataFrame
        An event frame (rfcsim.trace.frame.EVENT_SCHEMA). Times are as exact as the trace's stamps.
        `task` is "comm-tid", `class` the comm, `lock` the mm.

    Raises
    ------
    TraceError
        If the file is missing, cut off or no such trace, if events were lost, if it has none of the
        tracepoints, or if it has no such address space.

    Source: include/trace/events/mmap_lock.h and kernel/trace/trace.c, 5.11 and later; trace-cmd
    3.1; tools/perf/builtin-script.c, 6.1.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    if content.startswith(_PARQUET):
        return _simulated(path, mm)
    lines = content.decode(errors="replace").split("\n")
    rows, comms = _parse(path, _format(path, lines), lines)
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


def entries(text: str) -> tuple[int, int]:
    """How many events the header of a `trace` says it has, and how many were written to it."""
    match = _ENTRIES.search(text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _fail(path: str | Path, line: int, text: str) -> NoReturn:
    raise TraceError(f"{path}, line {line}: {text}")


def _simulated(path: str | Path, mm: str | None) -> pl.DataFrame:
    try:
        events = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        raise TraceError(f"{path}: is no readable Parquet file: cut off?") from None
    if events.schema != EVENT_SCHEMA:
        raise TraceError(f"{path}: is no trace; `rfcsim run --trace` writes one")
    if mm is not None:
        raise TraceError(f"{path}: mm is {mm!r}, but a simulated trace has one address space only")
    return events


def _format(path: str | Path, lines: list[str]) -> _Format:
    """Tell what wrote a trace from its first lines; refuse it if its last line is cut off."""
    first = lines[0]
    if first.startswith("# tracer:"):
        found = _TRACE
    elif _TRACE_CMD.skipped.fullmatch(first):
        found = _TRACE_CMD
    else:
        event = next((line for line in lines if not _PERF.skipped.fullmatch(line)), "")
        forms = (_TRACE_PIPE, _PERF)
        matching = [form for form in forms if form.line.fullmatch(event)]
        if not matching and not _LOST.fullmatch(event):
            _fail(
                path,
                1,
                "expected '# tracer:' (`trace` of tracefs), 'cpus=' (trace-cmd report) or an event "
                f"(`trace_pipe`, perf script), got {first[:40]!r}",
            )
        found = matching[0] if matching else _TRACE_PIPE
    if lines.pop():
        _fail(path, len(lines) + 1, "expected a complete line, but the file ends in the middle")
    return found


def _parse(path: str | Path, form: _Format, lines: list[str]) -> tuple[list[_Row], dict[str, str]]:
    """Read every line; return the mmap_lock events and the comm of each thread."""
    rows: list[_Row] = []
    comms: dict[str, str] = {}
    counted: tuple[int, int] | None = None  # event lines, and the header line that says so
    events = 0
    latest_ns = 0
    for number, line in enumerate(lines, start=1):
        if _LOST.fullmatch(line):
            _fail(path, number, f"events were lost here, record with a larger buffer: {line!r}")
        if form.skipped.fullmatch(line):
            if form.counted:
                counted = _header(path, number, line) or counted
            continue
        match = form.line.fullmatch(line)
        if match is None:
            _fail(path, number, f"expected '{form.expected}', got {line!r}")
        events += 1
        time_ns = int(match["seconds"]) * 10**9 + int(match["fraction"].ljust(9, "0"))
        if form.ordered and time_ns < latest_ns:
            _fail(path, number, f"time {match['seconds']}.{match['fraction']} runs backwards")
        latest_ns = time_ns
        # A thread may change its name or have none in a line: the last one known counts.
        if match["comm"] != _UNKNOWN_COMM or match["tid"] not in comms:
            comms[match["tid"]] = match["comm"]
        if match["name"] in _TRACEPOINTS:
            rows.append(_row(path, number, match, time_ns))

    if form.counted:
        if counted is None:
            _fail(path, 1, "expected a header line '# entries-in-buffer/entries-written: N/N'")
        if events != counted[0]:
            _fail(
                path,
                counted[1],
                f"expected {counted[0]} event lines, got {events}: cut off? "
                "(a filtered trace says '# entries-kept: N')",
            )
    if not rows:
        _fail(
            path,
            counted[1] if counted else 1,
            f"expected events {', '.join(_TRACEPOINTS)}, got none in {events} event lines",
        )
    if not form.ordered:
        rows.sort(key=lambda row: row.time_ns)
    return rows, comms


def _header(path: str | Path, number: int, line: str) -> tuple[int, int] | None:
    """Return how many event lines a header line promises, and its number; None if it does not."""
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
