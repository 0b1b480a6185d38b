"""The clock's trace as an event frame."""

import numpy as np
import polars as pl

from rfcsim.clock.layout import event as events
from rfcsim.clock.layout import trace as traced
from rfcsim.model.layout import call as call_number
from rfcsim.model.layout import lock
from rfcsim.trace.frame import EVENT_SCHEMA

DISK = "disk"
_OF_LOCK = [
    events.START_LOCKING,
    events.WOKEN,
    events.GRANTED,
    events.ACQUIRE_RETURNED,
    events.RELEASED,
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


def trace_frame(trace: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """Write a trace in the vocabulary that real kernels' traces share.

    Parameters
    ----------
    trace : int64[events, trace.SIZE]
    task_names : list of str
        By task number: class and number, "victim 3".

    Returns
    -------
    polars.DataFrame
        `rfcsim.trace.frame.EVENT_SCHEMA`; times in ns.
    """
    names = pl.Series([*task_names, DISK], dtype=pl.String())
    classes = pl.Series([*(name.rsplit(" ", 1)[0] for name in task_names), DISK])
    task = np.where(trace[:, traced.TASK] < 0, len(task_names), trace[:, traced.TASK])
    event = pl.Series(trace[:, traced.EVENT])
    a, b = pl.Series(trace[:, traced.A]), pl.Series(trace[:, traced.B])
    of_lock = event.is_in(_OF_LOCK)
    of_disk = event.is_in([events.DISK_START, events.DISK_DONE])
    of_call = event.is_in([events.CALL_BEGIN, events.CALL_END])
    call = pl.Series(call_number.NAMES)
    frame = pl.DataFrame(
        {"time_ns": trace[:, traced.TIME], "event": event, "a": a, "b": b}
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
        pl.Series(events.NAMES).gather(event).alias("event"),
        mode=pl.when("of_lock").then(
            pl.when(pl.col("a") == lock.EXCLUSIVE)
            .then(pl.lit("exclusive"))
            .otherwise(pl.lit("shared"))
        ),
        lock=pl.when("of_lock").then(pl.lit(LOCK)),
        cpu=pl.when(pl.col("event").is_in([events.RUN, events.STOP])).then("a"),
        value=pl.when(pl.col("event") == events.CALL_END).then("b").when("of_disk").then("a"),
        call="call",
        count=pl.when("of_disk").then("b"),
    ).match_to_schema(EVENT_SCHEMA)


def call_spans(trace: np.ndarray, task_names: list[str]) -> pl.DataFrame:
    """When each call began and ended, of those that a trace has both of.

    Parameters
    ----------
    trace : int64[events, trace.SIZE]
    task_names : list of str
        By task number.

    Returns
    -------
    polars.DataFrame
        SPAN_SCHEMA; by task, in order of time.
    """
    spans = []
    for task, name in enumerate(task_names):
        of_task = trace[trace[:, traced.TASK] == task]
        began = of_task[of_task[:, traced.EVENT] == events.CALL_BEGIN]
        ended = of_task[of_task[:, traced.EVENT] == events.CALL_END]
        calls = pl.Series(call_number.NAMES).gather(ended[:, traced.A])
        spans.append(
            pl.DataFrame(
                {
                    "task": [name] * len(ended),
                    "class": [name.rsplit(" ", 1)[0]] * len(ended),
                    "call": calls,
                    "began_ns": began[: len(ended), traced.TIME],
                    "ended_ns": ended[:, traced.TIME],
                },
                SPAN_SCHEMA,
            )
        )
    return pl.concat(spans)
