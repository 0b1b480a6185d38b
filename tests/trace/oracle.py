"""The rules of blame, one instant at a time, from whole spans instead of a sweep.

It is slow and plain, and follows notebooks/reference/blame.md sentence by sentence.
"""

from dataclasses import dataclass
from itertools import pairwise

import polars as pl

NEVER = 10**9
Judged = dict[tuple[str, int, int, int], tuple[str, str | None, str | None]]


@dataclass
class Stay:
    """One request of a task: the rows and times at which something happened to it."""

    task: str
    mode: str
    asked: int = -1  # a row, as below; -1: before the trace, NEVER: not in it
    owned: int = NEVER
    held: int = NEVER
    ended: int = NEVER
    asked_ns: int | None = None
    waited_until_ns: int | None = None  # None: the trace ended before
    woken: int = NEVER
    downgraded: int = NEVER
    failed: bool = False

    def waits(self, row: int) -> bool:
        return self.asked_ns is not None and self.asked <= row < min(self.held, self.ended)

    def owns(self, row: int) -> bool:
        return not self.failed and self.owned <= row < self.ended

    def excludes(self, other: "Stay", row: int) -> bool:
        """Whether the hold, in its mode at a row, keeps out what another request asks for."""
        mode = "shared" if row >= self.downgraded else self.mode
        return "exclusive" in (mode, other.mode)


def stays(events: list[dict]) -> list[Stay]:
    """The requests of all tasks."""
    found: list[Stay] = []
    for task in dict.fromkeys(event["task"] for event in events if event["mode"]):
        now: Stay | None = None
        latest = -1  # row of its latest request, to which a hold without a request belongs
        of_task = [(row, e) for row, e in enumerate(events) if e["task"] == task and e["mode"]]
        for number, (row, event) in enumerate(of_task):
            what, mode, time_ns = event["event"], event["mode"], event["time_ns"]
            if what == "start_locking":
                latest = row
                now = Stay(task, mode, asked=row, asked_ns=time_ns)
                found.append(now)
            elif what == "released":
                if now is None and number == 0:
                    found.append(now := Stay(task, mode, owned=-1, held=-1))
                if now is not None:
                    now.ended = row
                now = None
            elif what in ("granted", "acquire_returned"):
                if now is None:
                    found.append(now := Stay(task, mode, asked=latest))
                now.owned = min(now.owned, row)
                if what == "acquire_returned":
                    if now.held < row:
                        now.downgraded = min(now.downgraded, row)
                    elif now.asked_ns is not None:
                        now.waited_until_ns = time_ns
                    now.held = min(now.held, row)
            elif what == "woken" and now is not None:
                now.woken = min(now.woken, row)
            elif what == "acquire_failed":
                if now is not None:
                    now.ended, now.failed, now.waited_until_ns = row, True, time_ns
                now = None
    return found


def judged(frame: pl.DataFrame) -> Judged:
    """What each waiter waits for in each stretch between two times at which something happens."""
    events = frame.to_dicts()
    requests = stays(events)
    times = sorted({event["time_ns"] for event in events})
    found: Judged = {}
    for start_ns, end_ns in pairwise(times):
        row = max(row for row, event in enumerate(events) if event["time_ns"] == start_ns)
        for waiter in requests:
            if waiter.waits(row) and waiter.asked_ns is not None:
                part, cause = judge(waiter, requests, row)
                call = None if cause is None else call_of(cause, events, row)
                found[waiter.task, waiter.asked_ns, start_ns, end_ns] = (part, cause, call)
    return found


def judge(waiter: Stay, requests: list[Stay], row: int) -> tuple[str, str | None]:
    """The part of a wait after a row, and the task that it is due to."""
    owners = [other for other in requests if other.owns(row)]
    against = [owner for owner in owners if owner.excludes(waiter, row)]
    ahead = [
        other
        for other in requests
        if other.waits(row) and not other.owns(row) and other.asked < waiter.asked
    ]
    ahead.sort(key=lambda other: other.asked)
    if waiter.owns(row):
        return "wake_up", None
    if against:
        last = min(against, key=lambda owner: (-owner.ended, owner.asked))
        if last.asked > waiter.asked:
            return "stolen", last.task
        return ("holder" if last.held <= row else "queued_ahead"), last.task
    if waiter.woken <= row:
        return "wake_up", None
    if owners:
        writers = [other.task for other in ahead if other.mode == "exclusive"]
        return ("convoy", writers[0]) if writers else ("wake_up", None)
    awake = [other.task for other in ahead if other.woken <= row]
    if ahead:
        return "queued_ahead", [*awake, ahead[0].task][0]
    return "wake_up", None


def call_of(task: str, events: list[dict], row: int) -> str | None:
    """The system call that a task is in after a row."""
    of_task = [
        event
        for event in events[: row + 1]
        if event["task"] == task and event["event"] in ("call_begin", "call_end")
    ]
    return of_task[-1]["call"] if of_task and of_task[-1]["event"] == "call_begin" else None
