"""The clock's trace as an event frame."""

import numpy as np
import polars as pl

from rfcsim.clock.layout import event, trace
from rfcsim.model.layout import call, lock
from rfcsim.trace.frame import EVENT_SCHEMA

DISK = "disk"
_OF_LOCK = [
    event.START_LOCKING,
    event.WOKEN,
    event.GRANTED,
    event.ACQUIRE_RETURNED,
    event.RELEASED,
]
SPAN_SCHEMA = pl.Schema(
    {
        "task": pl.String(),
        "class": pl.String(),
        "call": pl.String(),
        "began_ns": pl.Int64(),
        "ended_ns": pl.Int64(),
    }
)
LOCK = "mmap_sem"  # there is one: the tasks of a scenario share their address space


def trace_frame(rows: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """Write a trace in the vocabulary that it shares with the traces of real kernels.

    Parameters
    ----------
    rows : int64[events, trace.SIZE]
        The trace.
    task_names : list of str
        By task number: class and number, such as "victim 3".

    Returns
    -------
    polars.DataFrame
        Of `rfcsim.trace.frame.EVENT_SCHEMA`; times in ns.
    """
    names = pl.Series([*task_names, DISK], dtype=pl.String())
    classes = pl.Series([*(name.rsplit(" ", 1)[0] for name in task_names), DISK])
    task = np.where(rows[:, trace.TASK] < 0, len(task_names), rows[:, trace.TASK])
    kind = pl.Series(rows[:, trace.EVENT])
    a, b = pl.Series(rows[:, trace.A]), pl.Series(rows[:, trace.B])
    of_lock = kind.is_in(_OF_LOCK)
    of_disk = kind.is_in([event.DISK_START, event.DISK_DONE])
    of_call = kind.is_in([event.CALL_BEGIN, event.CALL_END])
    calls = pl.Series(call.NAMES)
    frame = pl.DataFrame(
        {"time_ns": rows[:, trace.TIME], "event": kind, "a": a, "b": b}
    ).with_columns(
        task=names.gather(task),
        **{"class": classes.gather(task)},
        of_lock=of_lock,
        of_disk=of_disk,
        call=calls.gather(a.zip_with(of_call, pl.Series([0]))).zip_with(
            of_call, pl.Series([None], dtype=pl.String())
        ),
    )
    return frame.select(
        "time_ns",
        "task",
        "class",
        pl.Series(event.NAMES).gather(kind).alias("event"),
        mode=pl.when("of_lock").then(
            pl.when(pl.col("a") == lock.EXCLUSIVE)
            .then(pl.lit("exclusive"))
            .otherwise(pl.lit("shared"))
        ),
        lock=pl.when("of_lock").then(pl.lit(LOCK)),
        cpu=pl.when(pl.col("event").is_in([event.RUN, event.STOP])).then("a"),
        value=pl.when(pl.col("event") == event.CALL_END).then("b").when("of_disk").then("a"),
        call="call",
        count=pl.when("of_disk").then("b"),
    ).match_to_schema(EVENT_SCHEMA)


def call_spans(rows: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """When each call began and ended, for the calls whose beginning and end are in a trace.

    Parameters
    ----------
    rows : int64[events, trace.SIZE]
        The trace.
    task_names : list of str
        By task number.

    Returns
    -------
    polars.DataFrame
        Of SPAN_SCHEMA; by task, in order of time.
    """
    spans = []
    for task, name in enumerate(task_names):
        of_task = rows[rows[:, trace.TASK] == task]
        began = of_task[of_task[:, trace.EVENT] == event.CALL_BEGIN]
        ended = of_task[of_task[:, trace.EVENT] == event.CALL_END]
        calls = pl.Series(call.NAMES).gather(ended[:, trace.A])
        spans.append(
            pl.DataFrame(
                {
                    "task": [name] * len(ended),
                    "class": [name.rsplit(" ", 1)[0]] * len(ended),
                    "call": calls,
                    "began_ns": began[: len(ended), trace.TIME],
                    "ended_ns": ended[:, trace.TIME],
                },
                SPAN_SCHEMA,
            )
        )
    return pl.concat(spans)
