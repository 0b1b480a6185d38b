"""Blame: whom every nanosecond of a wait for mmap_sem is due to.

A task *owns* the lock from `granted` to `released`, and *holds* it once its acquisition has
returned. (The trace of a real kernel has no `granted`; a task then owns the lock from
`acquire_returned` on.) A task that waits and does not own the lock is in the *queue*, in the order
of `start_locking`. At each instant the first of these rules that fits says what a waiter waits for:

1. It owns the lock, and has yet to run: `wake_up`, due to nobody.
2. An owner keeps it out that asked for the lock after it: `stolen`, by that owner.
3. An owner keeps it out that asked before it and has yet to run: `queued_ahead`, due to that owner.
4. An owner keeps it out that asked before it and holds the lock: `holder`, that owner.
5. It has been woken to take the lock, and could take it now: `wake_up`.
6. All owners are compatible with it, and an exclusive request is before it in the queue: `convoy`,
   due to the foremost such request.
7. Nobody owns the lock, and somebody is before it in the queue: `queued_ahead`, due to the foremost
   that was woken or, if none was, to the foremost.
8. None of these: `wake_up`. Nothing that the trace shows is in its way.

If several shared owners keep a writer out, rules 2 to 4 go by the one that releases last: without
any of the others the writer would have waited just as long. notebooks/reference/blame.md says more.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.trace.frame import LOCK_EVENTS, require_events
from rfcsim.words import percent

HOLDER = "holder"
STOLEN = "stolen"
QUEUED_AHEAD = "queued_ahead"
CONVOY = "convoy"
WAKE_UP = "wake_up"
PARTS = {  # each with what it says of its cause
    HOLDER: "held by {}",
    STOLEN: "stolen by {}",
    QUEUED_AHEAD: "queued behind {}",
    CONVOY: "convoy behind {}",
    WAKE_UP: "waking up",
}

BLAME_SCHEMA = pl.Schema(
    {
        "task": pl.String(),  # who waits
        "class": pl.String(),
        "lock": pl.String(),
        "mode": pl.String(),  # what it asked for: "shared" or "exclusive"
        "call": pl.String(),  # the system call in which it waits; null if the trace does not say
        "wait_start_ns": pl.Int64(),  # of the whole wait
        "wait_end_ns": pl.Int64(),
        "open": pl.Boolean(),  # the trace ended before the wait did
        "part": pl.String(),  # one of PARTS
        "cause_task": pl.String(),  # null for wake_up
        "cause_class": pl.String(),
        "cause_call": pl.String(),
        "start_ns": pl.Int64(),  # of this part
        "end_ns": pl.Int64(),
        "length_ns": pl.Int64(),
    }
)

_TABLE_SCHEMA = {
    "class": pl.String(),
    "because": pl.String(),
    "waits": pl.Int64(),
    "max": pl.String(),
    "total": pl.String(),
    "share": pl.String(),
}

_CALL_EVENTS = ("call_begin", "call_end")
_EVENTS = (*LOCK_EVENTS, "woken")
_ROWS = {
    name: BLAME_SCHEMA.get(name, pl.Int64())
    for name in (
        *("task", "mode", "call", "asked", "wait_start_ns", "wait_end_ns", "open"),
        *("part", "cause_task", "cause_call", "start_ns", "end_ns"),
    )
}
_UNKNOWN = -1  # the row of a request that is not in the trace: it comes before all others


def blame(events: pl.DataFrame) -> pl.DataFrame:
    """Say whom every nanosecond of a wait for a lock is due to.

    A wait lasts from `start_locking` until `acquire_returned`, that is, until the task runs as the
    owner. If its end is not in the trace, it is cut at the last event and marked `open`. If its
    beginning is not in the trace, it is left out. A task whose first event is `released` has held
    the lock since before the trace. The order of `start_locking` says who asked first.

    Parameters
    ----------
    events : polars.DataFrame
        An event frame (rfcsim.trace.frame.EVENT_SCHEMA), in the order of time.

    Returns
    -------
    polars.DataFrame
        BLAME_SCHEMA, with one row for each part of a wait, in the order in which the waits begin.
        Times in ns. Waits of length zero have no part.

    Raises
    ------
    RfcsimError
        If this is no event frame, or is not in the order of time.

    Notes
    -----
    **Invariants.** The parts of one wait follow one another without a gap from `wait_start_ns` to
    `wait_end_ns`; each is at least 1 ns long.
    """
    require_events("blame", events)
    if not events["time_ns"].is_sorted():
        raise RfcsimError("blame: expected events in the order of time")
    of_lock = pl.col("event").is_in(_EVENTS)
    locks = events.filter(of_lock)["lock"].unique(maintain_order=True)
    frames = [pl.DataFrame(schema=BLAME_SCHEMA)]
    for lock in locks:
        of_this = of_lock & pl.col("lock").eq_missing(lock)
        relevant = events.filter(of_this | pl.col("event").is_in(_CALL_EVENTS))
        frames.append(_of_one_lock(relevant, lock, int(events["time_ns"][-1])))
    return pl.concat(frames).sort("wait_start_ns", maintain_order=True)


def blame_summary(parts: pl.DataFrame) -> pl.DataFrame:
    """Add up who is to blame, by class of waiter.

    Parameters
    ----------
    parts : polars.DataFrame
        BLAME_SCHEMA, as `blame` returns it; or some of its rows.

    Returns
    -------
    polars.DataFrame
        One row for each class, part, and class and call of the cause: class, part, cause_class,
        cause_call, waits (how many have such a part), max_ns (of the longest), total_ns, and share
        (of all that the class waited, 0 to 1). The class that waited most comes first, and within a
        class the cause that it waited for most.

    Raises
    ------
    RfcsimError
        If it is not of `blame`.
    """
    missing = [name for name in BLAME_SCHEMA if name not in parts.columns]
    if missing:
        raise RfcsimError(f"parts: must be of blame, but there is no column {missing[0]}")
    return (
        parts.group_by("class", "part", "cause_class", "cause_call", maintain_order=True)
        .agg(
            waits=pl.struct("task", "lock", "wait_start_ns").n_unique().cast(pl.Int64),
            max_ns=pl.col("length_ns").max(),
            total_ns=pl.col("length_ns").sum(),
        )
        .with_columns(of_class_ns=pl.col("total_ns").sum().over("class"))
        .with_columns(share=pl.col("total_ns") / pl.col("of_class_ns"))
        .sort(
            "of_class_ns", "class", "total_ns", descending=[True, False, True], maintain_order=True
        )
        .drop("of_class_ns")
    )


def blame_table(parts: pl.DataFrame) -> pl.DataFrame:
    """Say `blame_summary` in words.

    Parameters
    ----------
    parts : polars.DataFrame
        BLAME_SCHEMA, as `blame` returns it.

    Returns
    -------
    polars.DataFrame
        class, because, waits, max, total, share.
    """
    rows = [
        (
            row["class"],
            because_of(row["part"], row["cause_class"], row["cause_call"]),
            row["waits"],
            human(row["max_ns"]),
            human(row["total_ns"]),
            percent(row["share"], 1),
        )
        for row in blame_summary(parts).iter_rows(named=True)
    ]
    return pl.DataFrame(rows, _TABLE_SCHEMA, orient="row")


def because_of(part: str, cause: str | None, call: str | None) -> str:
    """Say what a part of a wait is due to: "held by locker 0 (mlock)"."""
    return PARTS[part].format(cause if call is None else f"{cause} ({call})")


class _Cause(NamedTuple):
    part: str
    task: str | None = None
    call: str | None = None


_WAKING_UP = _Cause(WAKE_UP)


@dataclass(slots=True)
class _Owner:
    task: str
    mode: str
    asked: int  # row of its request
    until: int  # row of its release
    holds: bool = False  # its acquisition has returned

    @property
    def lasting(self) -> tuple[int, int]:
        """Greatest for the owner that releases last or, if no release is known, asked first."""
        return self.until, -self.asked


@dataclass(slots=True)
class _Waiter:
    task: str
    mode: str
    call: str | None
    asked: int
    start_ns: int
    woken: bool = False
    parts: list[tuple[_Cause, int]] = field(default_factory=list)  # each with its begin, in ns


@dataclass(slots=True)
class _Lock:
    """Who owns a lock and who waits for it, between one event and the next."""

    owners: dict[str, _Owner]
    waiters: dict[str, _Waiter] = field(default_factory=dict)  # in the order of their requests
    asked: dict[str, int] = field(default_factory=dict)  # row of a task's latest request
    calls: dict[str, str | None] = field(default_factory=dict)  # the call that each task is in
    rows: list[tuple] = field(default_factory=list)

    def play(self, row: int, now_ns: int, task: str, event: str, mode: str, until: int) -> None:
        """Apply one event of the lock."""
        match event:
            case "start_locking":
                self._leave(task, now_ns)  # what it did before has ended, though unseen
                self.asked[task] = row
                call = self.calls.get(task)
                self.waiters[task] = _Waiter(task, mode, call, asked=row, start_ns=now_ns)
            case "woken":
                if task in self.waiters:
                    self.waiters[task].woken = True
            case "granted":
                self._own(task, mode, until)
            case "acquire_returned":
                if task in self.owners:
                    self.owners[task].mode = mode  # a downgrade changes it
                else:
                    self._own(task, mode, until)
                self.owners[task].holds = True
                self.end_wait(task, now_ns)
            case "acquire_failed":
                self.end_wait(task, now_ns)
            case "released":
                self._leave(task, now_ns)

    def _leave(self, task: str, now_ns: int) -> None:
        self.owners.pop(task, None)
        self.end_wait(task, now_ns)

    def _own(self, task: str, mode: str, until: int) -> None:
        # A hold without a request of its own, as after a downgrade, has the request before it.
        self.owners[task] = _Owner(task, mode, self.asked.get(task, _UNKNOWN), until)

    def end_wait(self, task: str, now_ns: int, is_open: bool = False) -> None:
        """Write down the parts of a wait, if it had any."""
        waiter = self.waiters.pop(task, None)
        if waiter is None or not waiter.parts:
            return
        ends_ns = [start_ns for _, start_ns in waiter.parts[1:]] + [now_ns]
        whole = (task, waiter.mode, waiter.call, waiter.asked, waiter.start_ns, now_ns, is_open)
        for (cause, start_ns), end_ns in zip(waiter.parts, ends_ns, strict=True):
            self.rows.append((*whole, *cause, start_ns, end_ns))

    def judge(self, now_ns: int) -> None:
        """Find what each waiter waits for, from now until the next event."""
        lasting = max(self.owners.values(), key=lambda owner: owner.lasting, default=None)
        exclusive = (owner for owner in self.owners.values() if owner.mode == "exclusive")
        keeps_out = {
            "exclusive": lasting,
            "shared": max(exclusive, key=lambda owner: owner.lasting, default=None),
        }
        ahead: dict[str, _Waiter] = {}  # the foremost waiter of each kind
        for waiter in self.waiters.values():
            cause = self._cause(waiter, keeps_out[waiter.mode], ahead)
            if not waiter.parts or waiter.parts[-1][0] != cause:
                waiter.parts.append((cause, now_ns))
            ahead.setdefault("any", waiter)
            ahead.setdefault(waiter.mode, waiter)
            if waiter.woken:
                ahead.setdefault("woken", waiter)

    def _cause(self, waiter: _Waiter, owner: _Owner | None, ahead: dict[str, _Waiter]) -> _Cause:
        """Apply the rules at the head of this module."""
        if waiter.task in self.owners:
            return _WAKING_UP
        if owner is not None:
            if owner.asked > waiter.asked:
                return self._due_to(STOLEN, owner)
            return self._due_to(HOLDER if owner.holds else QUEUED_AHEAD, owner)
        if waiter.woken:
            return _WAKING_UP
        if self.owners:
            return self._due_to(CONVOY, ahead.get("exclusive"))
        return self._due_to(QUEUED_AHEAD, ahead.get("woken", ahead.get("any")))

    def _due_to(self, part: str, other: _Owner | _Waiter | None) -> _Cause:
        if other is None:
            return _WAKING_UP
        return _Cause(part, other.task, self.calls.get(other.task))


def _of_one_lock(events: pl.DataFrame, lock: str | None, end_ns: int) -> pl.DataFrame:
    """The parts of all waits for one lock, from its events and those of calls."""
    name = pl.col("event")
    ends = pl.when(name.is_in(["released", "start_locking"])).then("row")
    events = events.with_row_index("row").with_columns(
        until=ends.backward_fill().over("task").fill_null(len(events))
    )
    of_lock = events.filter(name.is_in(_EVENTS))
    before = of_lock.unique("task", keep="first").filter(name == "released")
    state = _Lock(
        {
            task: _Owner(task, mode, _UNKNOWN, until, holds=True)
            for task, mode, until in before.select("task", "mode", "until").iter_rows()
        }
    )
    now_ns, judged = 0, True
    columns = events.select("row", "time_ns", "task", "event", "mode", "call", "until")
    for row, time_ns, task, event, mode, call, until in columns.iter_rows():
        if time_ns > now_ns and not judged:
            state.judge(now_ns)
        now_ns, judged = time_ns, False
        if event in _CALL_EVENTS:
            state.calls[task] = call if event == "call_begin" else None
        else:
            state.play(row, now_ns, task, event, mode, until)
    if end_ns > now_ns:
        state.judge(now_ns)
    for task in list(state.waiters):
        state.end_wait(task, end_ns, is_open=True)

    classes = dict(of_lock.select("task", "class").unique().iter_rows())
    return (
        pl.DataFrame(state.rows, _ROWS, orient="row")
        .sort("asked", "start_ns")
        .with_columns(
            **{"class": pl.col("task").replace_strict(classes)},
            lock=pl.lit(lock, pl.String),
            cause_class=pl.col("cause_task").replace_strict(classes),
            length_ns=pl.col("end_ns") - pl.col("start_ns"),
        )
        .select(BLAME_SCHEMA.names())
        .match_to_schema(BLAME_SCHEMA)
    )
