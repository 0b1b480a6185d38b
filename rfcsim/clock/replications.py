"""Replications of one machine, one after another in one call, and the rows that they leave.

Nothing here needs the interpreter: threads that run replications side by side do not meet.
"""

import math

from rfcsim._jit import inner, njit
from rfcsim.clock.engine import run
from rfcsim.clock.layout import (
    CALL_COUNT,
    CALL_FAILED,
    CALL_MAX_NS,
    CALL_SUM_NS,
    CLOCK_NOW,
    CLOCK_REPLICATION,
    CLOCK_SEED,
    FINISHED,
    N_RECORDS,
    NO_ROOM,
    QUANTILES,
    REC_CALL,
    REC_WAIT_EXCLUSIVE,
    REC_WAIT_SHARED,
    ROW_CALL,
    ROW_CLASS,
    ROW_COUNT,
    ROW_ELAPSED_NS,
    ROW_FAILED,
    ROW_LISTED,
    ROW_MAX_NS,
    ROW_NULL,
    ROW_QUANTILES,
    ROW_RECORD,
    ROW_REPLICATION,
    ROW_SIZE,
    ROW_TOTAL_NS,
    ROW_WAITED,
    ROWS_FILLED,
    ROWS_LISTED,
    STAT_COUNT,
    STAT_MAX,
    STAT_SUM,
)
from rfcsim.clock.machine import start
from rfcsim.histogram import N_BUCKETS, highest_of
from rfcsim.model.layout import N_CALLS


@njit
def replicate(machine, fresh, end, most_events, rows, buckets, filled):
    """Run replications to their ends, and write down what each recorded.

    Parameters
    ----------
    machine : Machine
        Somewhere in one of them; changed in place. Afterwards it stands where a later call goes on.
    fresh : Machine
        The same machine at time 0, of whatever replication.
    end : int
        The replication before which to stop.
    most_events : int
        About how many events of a replication to play before returning.
    rows : int64[capacity, ROW_SIZE]
        Of each replication in the order of classes, records and calls, those with an entry.
    buckets : int64[capacity, 2]
        Number and count of every bucket with an entry, row after row: ROW_LISTED of them a row.
    filled : int64[2]
        How much of `rows` (ROWS_FILLED) and of `buckets` (ROWS_LISTED) is taken.

    Returns
    -------
    int
        FINISHED: all before `end` have their rows. RUNNING: call again. NO_ROOM: call again with
        emptier arrays. Else why the replication in `machine.clock` cannot go on.
    """
    clock = machine.clock
    while clock[CLOCK_REPLICATION] < end:
        status = run(machine, most_events)
        if status != FINISHED:
            return status
        if not _write_rows(machine, rows, buckets, filled):
            return NO_ROOM
        restart(machine, fresh, clock[CLOCK_SEED], clock[CLOCK_REPLICATION] + 1)
    return FINISHED


@njit
def restart(machine, fresh, seed, replication):
    """Take a machine back to time 0, under another key.

    Parameters
    ----------
    machine : Machine
        Changed in place; after any run.
    fresh : Machine
        Built as this one was, and not run yet.
    seed, replication : int
    """
    state, untouched = machine.state, fresh.state
    _copy(state.mm, untouched.mm)
    _copy(state.vmas, untouched.vmas)
    _copy(state.pages, untouched.pages)
    _copy(state.sem, untouched.sem)
    _copy(state.queue, untouched.queue)
    _copy(state.granted, untouched.granted)
    _copy(state.tasks, untouched.tasks)
    _copy(machine.clock, fresh.clock)
    _copy(machine.schedule, fresh.schedule)
    _copy(machine.timers, fresh.timers)
    _copy(machine.winners, fresh.winners)
    _copy(machine.cpus, fresh.cpus)
    _copy(machine.disk, fresh.disk)
    _copy(machine.statistics, fresh.statistics)
    _copy(machine.histograms, fresh.histograms)
    _copy(machine.calls, fresh.calls)
    _copy(machine.trace, fresh.trace)
    start(machine, seed, replication)


@inner
def _copy(to, of):
    for i in range(of.size):
        to.flat[i] = of.flat[i]


@inner
def _write_rows(machine, rows, buckets, filled):
    """Write the rows of a run that is over; False, and nothing, if there may be no room."""
    statistics, calls = machine.statistics, machine.calls
    most_rows, most_buckets = 0, 0
    for group in range(statistics.shape[0]):
        most_rows += N_RECORDS + N_CALLS
        for what in range(N_RECORDS):
            most_buckets += min(statistics[group, what, STAT_COUNT], N_BUCKETS)
    if (
        filled[ROWS_FILLED] + most_rows > rows.shape[0]
        or filled[ROWS_LISTED] + most_buckets > buckets.shape[0]
    ):
        return False
    for group in range(statistics.shape[0]):
        for what in range(N_RECORDS):
            if statistics[group, what, STAT_COUNT] > 0:
                _write_record(machine, group, what, rows, buckets, filled)
            if what == REC_CALL:
                for call in range(N_CALLS):
                    if calls[group, call, CALL_COUNT] > 0:
                        _write_call(machine, group, call, rows, filled)
    return True


@inner
def _write_record(machine, group, what, rows, buckets, filled):
    entries = machine.statistics[group, what]
    counts = machine.histograms[group, what]
    row = rows[filled[ROWS_FILLED]]
    _begin_row(machine, group, what, row, filled)
    row[ROW_COUNT] = entries[STAT_COUNT]
    row[ROW_TOTAL_NS] = entries[STAT_SUM]
    row[ROW_MAX_NS] = entries[STAT_MAX]
    if what in (REC_WAIT_SHARED, REC_WAIT_EXCLUSIVE):
        row[ROW_WAITED] = entries[STAT_COUNT] - counts[0]
    elif what == REC_CALL:
        row[ROW_FAILED] = 0
        for call in range(N_CALLS):
            row[ROW_FAILED] += machine.calls[group, call, CALL_FAILED]
    first = listed = filled[ROWS_LISTED]
    reached, quantile = 0, 0
    for bucket in range(N_BUCKETS):
        if counts[bucket] == 0:
            continue
        buckets[listed, 0] = bucket
        buckets[listed, 1] = counts[bucket]
        listed += 1
        reached += counts[bucket]
        while quantile < len(QUANTILES) and reached >= _rank(QUANTILES[quantile], row[ROW_COUNT]):
            row[ROW_QUANTILES + quantile] = min(highest_of(bucket), entries[STAT_MAX])
            quantile += 1
        if reached == row[ROW_COUNT]:
            break
    row[ROW_LISTED] = listed - first
    filled[ROWS_LISTED] = listed


@inner
def _write_call(machine, group, call, rows, filled):
    totals = machine.calls[group, call]
    row = rows[filled[ROWS_FILLED]]
    _begin_row(machine, group, REC_CALL, row, filled)
    row[ROW_CALL] = call
    row[ROW_COUNT] = totals[CALL_COUNT]
    row[ROW_FAILED] = totals[CALL_FAILED]
    row[ROW_TOTAL_NS] = totals[CALL_SUM_NS]
    row[ROW_MAX_NS] = totals[CALL_MAX_NS]
    row[ROW_LISTED] = 0


@inner
def _begin_row(machine, group, what, row, filled):
    filled[ROWS_FILLED] += 1
    for column in range(ROW_SIZE):
        row[column] = ROW_NULL
    row[ROW_REPLICATION] = machine.clock[CLOCK_REPLICATION]
    row[ROW_CLASS] = group
    row[ROW_RECORD] = what
    row[ROW_ELAPSED_NS] = machine.clock[CLOCK_NOW]


@inner
def _rank(q, count):
    """Which of so many entries, in their order, no smaller share than q does not exceed."""
    return max(1, math.ceil(q * count))
