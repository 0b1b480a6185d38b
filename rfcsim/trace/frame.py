"""The event frame, in which simulated and recorded traces are kept, and the intervals of a lock.

An event frame has one row for each event, in the order in which the events happened.
"""

import polars as pl

from rfcsim.errors import RfcsimError

EVENT_SCHEMA = pl.Schema(
    {
        "time_ns": pl.Int64(),
        "task": pl.String(),  # "victim 3"; a real thread: "comm-tid"
        "class": pl.String(),  # group of tasks; a real thread: its comm
        "event": pl.String(),  # one of EVENTS
        "mode": pl.String(),  # "shared" or "exclusive", of events of the lock
        "lock": pl.String(),  # which mmap_sem: the mm that it belongs to
        "cpu": pl.Int64(),
        "value": pl.Int64(),  # call_end: what it returned; disk_*: first page
        "call": pl.String(),
        "count": pl.Int64(),  # disk_*: pages
    }
)

# Only a real kernel has acquire_failed: a trylock found the lock taken, or a fatal signal ended a
# wait. Only the simulator has granted and woken. A waiter that is woken to try for the lock goes on
# waiting until it is granted the lock, so woken begins and ends no interval.
LOCK_EVENTS = ("start_locking", "granted", "acquire_returned", "acquire_failed", "released")
EVENTS = (
    *("call_begin", "call_end", "run", "stop"),
    *LOCK_EVENTS,
    *("woken", "disk_start", "disk_done"),
)

INTERVAL_SCHEMA = pl.Schema(
    {
        "task": pl.String(),
        "class": pl.String(),
        "lock": pl.String(),
        "state": pl.String(),  # "waiting" or "holding"
        "mode": pl.String(),  # "shared" or "exclusive"
        "start_ns": pl.Int64(),
        "end_ns": pl.Int64(),
        "open": pl.Boolean(),  # the trace ended before the interval did
    }
)


def require_events(what: str, events: pl.DataFrame) -> None:
    """Refuse for a function what is no event frame."""
    missing = [name for name in EVENT_SCHEMA if name not in events.columns]
    if missing:
        raise RfcsimError(f"{what}: expected an event frame, but it has no column {missing[0]!r}")


def lock_intervals(events: pl.DataFrame, *, zero_waits: bool = False) -> pl.DataFrame:
    """Turn the events of a lock into the intervals in which tasks waited for it and held it.

    A task waits from `start_locking` on. It holds the lock from `granted` to `released`; if the
    trace has no `granted`, from `acquire_returned`. An `acquire_returned` in the middle of a hold
    is a change of mode (`mmap_write_downgrade`): one hold ends and the next begins. A hold that
    began before the trace is not known, and is left out. An interval whose end is not in the trace
    is cut at the last event and marked `open`.

    Parameters
    ----------
    events : polars.DataFrame
        An event frame (EVENT_SCHEMA), in the order of time.
    zero_waits : bool
        Whether to keep waits of length zero, which are requests that were granted at once.

    Returns
    -------
    polars.DataFrame
        INTERVAL_SCHEMA, in the order in which the intervals begin. Times in ns.

    Raises
    ------
    RfcsimError
        If it is no event frame.
    """
    require_events("lock_intervals", events)
    name = pl.col("event")
    of_one_lock = ("task", "lock")
    previous = name.shift().over(of_one_lock)
    changes = events.filter(name.is_in(LOCK_EVENTS)).filter(
        # A hold that was granted is already under way when its task comes to run ...
        ~((name == "acquire_returned") & previous.eq_missing("granted"))
        # ... and an attempt that fails ends the wait that it belongs to, if any, and nothing else.
        & ~((name == "acquire_failed") & previous.ne_missing("start_locking"))
    )
    end_ns = pl.col("time_ns").shift(-1).over(of_one_lock)
    intervals = changes.select(
        "task",
        "class",
        "lock",
        pl.when(name == "start_locking")
        .then(pl.lit("waiting"))
        .when(name.is_in(["granted", "acquire_returned"]))
        .then(pl.lit("holding"))
        .alias("state"),
        "mode",
        pl.col("time_ns").alias("start_ns"),
        end_ns.fill_null(pl.lit(events["time_ns"].max(), pl.Int64)).alias("end_ns"),
        end_ns.is_null().alias("open"),
    ).filter(pl.col("state").is_not_null())
    if not zero_waits:
        no_time = pl.col("end_ns") == pl.col("start_ns")
        intervals = intervals.filter(~((pl.col("state") == "waiting") & no_time))
    return intervals.match_to_schema(INTERVAL_SCHEMA)
