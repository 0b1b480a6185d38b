"""Event frames of a lock, written by hand or drawn at random."""

from collections.abc import Iterable
from typing import Any

import polars as pl
from hypothesis import strategies as st

from rfcsim.trace.frame import EVENT_SCHEMA

SHARED, EXCLUSIVE = "shared", "exclusive"

# A reader behind a writer behind a reader, where the lock is first in, first out.
CONVOY = """
    0   reader  call_begin     mlock
    0   reader  start_locking  shared
    0   reader  granted
    0   reader  acquire_returned
    2   writer  call_begin     munmap
    2   writer  start_locking  exclusive
    4   second  start_locking  shared
    10  reader  released
    10  writer  granted
    10  reader  call_end       mlock
    11  writer  acquire_returned
    16  writer  released
    16  second  granted
    17  second  acquire_returned
    20  second  released
"""


def frame(text: str) -> pl.DataFrame:
    """Read events that are written as "time task event [mode or call]", one on each line.

    A task's mode is the last one given for it. The class is the first letter of the task.
    """
    modes: dict[str, str] = {}
    rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        time, task, event, *more = line.split()
        if event.startswith("call_"):
            rows.append((int(time), task, event, None, more[0]))
            continue
        modes[task] = more[0] if more else modes[task]
        rows.append((int(time), task, event, modes[task], None))
    return event_frame(rows)


def event_frame(rows: Iterable[tuple[int, str, str, str | None, str | None]]) -> pl.DataFrame:
    """An event frame of one lock from rows of time, task, event, mode and call."""
    whole: list[dict[str, Any]] = [
        {"time_ns": time, "task": task, "class": task[0], "event": event, "mode": mode}
        | {"call": call, "lock": None if mode is None else "mm"}
        for time, task, event, mode, call in rows
    ]
    return pl.DataFrame(whole, EVENT_SCHEMA)


@st.composite
def lock_traces(draw: st.DrawFn) -> pl.DataFrame:
    """What a lock could do whose only rule is exclusion: steal, wake in vain, grant, downgrade.

    At each turn any task makes any move that the state of the lock allows. So the traces of every
    policy are among these, and so are many that no policy has.
    """
    tasks = ["a0", "a1", "b0", "b1", "c0"][: draw(st.integers(2, 5))]
    state = dict.fromkeys(tasks, "idle")  # or asks, owns, holds
    mode: dict[str, str] = {}
    rows = []
    now = 0
    for _ in range(draw(st.integers(1, 60))):
        now += draw(st.sampled_from([1, 2, 0]))
        task = draw(st.sampled_from(tasks))
        owning = [mode[other] for other in tasks if state[other] in ("owns", "holds")]
        moves = {
            "idle": ["start_locking", "start_locking", "call_begin", "call_end"],
            "asks": ["woken", "acquire_failed"],
            "owns": ["acquire_returned"],
            "holds": ["released", "released", "downgrade"],
        }[state[task]]
        free = not owning or (mode.get(task) == SHARED and EXCLUSIVE not in owning)
        if state[task] == "asks" and free:
            moves = ["granted", "granted", "acquire_returned", *moves]
        move = draw(st.sampled_from(moves))
        if move.startswith("call_"):
            rows.append((now, task, move, None, draw(st.sampled_from(["mlock", "mmap"]))))
            continue
        if move == "start_locking":
            mode[task] = draw(st.sampled_from([EXCLUSIVE, SHARED]))
        if move == "downgrade":
            mode[task], move = SHARED, "acquire_returned"
            if draw(st.booleans()):  # as the simulator writes it; else as a real kernel does
                rows += [(now, task, event, SHARED, None) for event in ("released", "granted")]
        rows.append((now, task, move, mode[task], None))
        state[task] = {
            "start_locking": "asks",
            "woken": "asks",
            "granted": "owns",
            "acquire_returned": "holds",
        }.get(move, "idle")
    # The trace may begin in the middle.
    return event_frame(rows[draw(st.integers(0, len(rows) // 3)) :])
