"""The clock's trace as an event frame."""

import numpy as np
import polars as pl

from rfcsim.clock.layout import (
    EV_ACQUIRE_RETURNED,
    EV_CALL_BEGIN,
    EV_CALL_END,
    EV_DISK_DONE,
    EV_DISK_START,
    EV_GRANTED,
    EV_RELEASED,
    EV_RUN,
    EV_START_LOCKING,
    EV_STOP,
    EV_WOKEN,
    EVENT_NAMES,
    TRACE_A,
    TRACE_B,
    TRACE_EVENT,
    TRACE_TASK,
    TRACE_TIME,
)
from rfcsim.model.layout import CALL_NAMES, EXCLUSIVE
from rfcsim.trace.frame import EVENT_SCHEMA

DISK = "disk"
_OF_LOCK = [EV_START_LOCKING, EV_WOKEN, EV_GRANTED, EV_ACQUIRE_RETURNED, EV_RELEASED]
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


def trace_frame(trace: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """Write a trace in the vocabulary that real kernels' traces share.

    Parameters
    ----------
    trace : int64[events, TRACE_SIZE]
    task_names : list of str
        By task number: class and number, "victim 3".

    Returns
    -------
    polars.DataFrame
        `rfcsim.trace.frame.EVENT_SCHEMA`; times in ns.
    """
    names = pl.Series([*task_names, DISK], dtype=pl.String())
    classes = pl.Series([*(name.rsplit(" ", 1)[0] for name in task_names), DISK])
    task = np.where(trace[:, TRACE_TASK] < 0, len(task_names), trace[:, TRACE_TASK])
    event = pl.Series(trace[:, TRACE_EVENT])
    a, b = pl.Series(trace[:, TRACE_A]), pl.Series(trace[:, TRACE_B])
    of_lock = event.is_in(_OF_LOCK)
    of_disk = event.is_in([EV_DISK_START, EV_DISK_DONE])
    of_call = event.is_in([EV_CALL_BEGIN, EV_CALL_END])
    call = pl.Series(CALL_NAMES)
    frame = pl.DataFrame(
        {"time_ns": trace[:, TRACE_TIME], "event": event, "a": a, "b": b}
    ).with_columns(
        task=names.gather(task),
        **{"class": classes.gather(task)},
        of_lock=of_lock,
        of_disk=of_disk,
        call=call.gather(a.zip_with(of_call, pl.Series([0]))).zip_with(
            of_call, pl.Series([None], dtype=pl.String())
        ),
    )
    return frame.select(
        "time_ns",
        "task",
        "class",
        pl.Series(EVENT_NAMES).gather(event).alias("event"),
        mode=pl.when("of_lock").then(
            pl.when(pl.col("a") == EXCLUSIVE).then(pl.lit("exclusive")).otherwise(pl.lit("shared"))
        ),
        lock=pl.when("of_lock").then(pl.lit(LOCK)),
        cpu=pl.when(pl.col("event").is_in([EV_RUN, EV_STOP])).then("a"),
        value=pl.when(pl.col("event") == EV_CALL_END).then("b").when("of_disk").then("a"),
        call="call",
        count=pl.when("of_disk").then("b"),
    ).match_to_schema(EVENT_SCHEMA)


def call_spans(trace: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """When each call began and ended, of those that a trace has both of.

    Parameters
    ----------
    trace : int64[events, TRACE_SIZE]
    task_names : list of str
        By task number.

    Returns
    -------
    polars.DataFrame
        SPAN_SCHEMA; by task, in order of time.
    """
    spans = []
    for task, name in enumerate(task_names):
        of_task = trace[trace[:, TRACE_TASK] == task]
        began = of_task[of_task[:, TRACE_EVENT] == EV_CALL_BEGIN]
        ended = of_task[of_task[:, TRACE_EVENT] == EV_CALL_END]
        calls = pl.Series(CALL_NAMES).gather(ended[:, TRACE_A])
        spans.append(
            pl.DataFrame(
                {
                    "task": [name] * len(ended),
                    "class": [name.rsplit(" ", 1)[0]] * len(ended),
                    "call": calls,
                    "began_ns": began[: len(ended), TRACE_TIME],
                    "ended_ns": ended[:, TRACE_TIME],
                },
                SPAN_SCHEMA,
            )
        )
    return pl.concat(spans)
