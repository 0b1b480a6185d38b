"""Replications of one machine, one after another in one call, and the rows that they leave.

Nothing here needs the interpreter: threads that run replications side by side do not meet.
"""

import math

from rfcsim._jit import inner, njit
from rfcsim.clock.engine import run
from rfcsim.clock.layout import clock, field, run_status, sheet, span, stat, tally
from rfcsim.clock.machine import start
from rfcsim.histogram import N_BUCKETS, highest_of
from rfcsim.model.layout import call


@njit
def replicate(machine, fresh, end, most_events, rows, buckets, filled):
    """Run replications to their ends, and write down what each recorded.

    Parameters
    ----------
    machine : Machine
        At any point of one of them; changed in place. A later call goes on where this one stopped.
    fresh : Machine
        The same machine at time 0, of any replication.
    end : int
        The replication before which to stop.
    most_events : int
        About how many events of a replication to play before returning.
    rows : int64[capacity, field.SIZE]
        The rows of each replication, in the order of classes, spans and calls: those with an entry.
    buckets : int64[capacity, 2]
        The number and the count of each bucket with an entry: field.LISTED of them for each row.
    filled : int64[2]
        How much of `rows` (sheet.FILLED) and of `buckets` (sheet.LISTED) is in use.

    Returns
    -------
    int
        run_status.*. FINISHED: all replications before `end` have their rows. RUNNING: call again.
        NO_ROOM: call again with more room in the arrays. Any other says why the replication that
        `machine` is at cannot go on.
    """
    while machine.clock[clock.REPLICATION] < end:
        status = run(machine, most_events)
        if status != run_status.FINISHED:
            return status
        if not _write_rows(machine, rows, buckets, filled):
            return run_status.NO_ROOM
        restart(machine, fresh, machine.clock[clock.SEED], machine.clock[clock.REPLICATION] + 1)
    return run_status.FINISHED


@njit
def restart(machine, fresh, seed, replication):
    """Take a machine back to time 0, under another key.

    Parameters
    ----------
    machine : Machine
        Changed in place. It may have run for any time.
    fresh : Machine
        Built as this one was, and not run yet.
    seed, replication : int
        The key.
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
    """Write the rows of a run that is over; False, with nothing written, if room may be short."""
    statistics, calls = machine.statistics, machine.calls
    most_rows, most_buckets = 0, 0
    for group in range(statistics.shape[0]):
        most_rows += span.KINDS + call.COUNT
        for what in range(span.KINDS):
            most_buckets += min(statistics[group, what, stat.COUNT], N_BUCKETS)
    if (
        filled[sheet.FILLED] + most_rows > rows.shape[0]
        or filled[sheet.LISTED] + most_buckets > buckets.shape[0]
    ):
        return False
    for group in range(statistics.shape[0]):
        for what in range(span.KINDS):
            if statistics[group, what, stat.COUNT] > 0:
                _write_record(machine, group, what, rows, buckets, filled)
            if what == span.CALL:
                for number in range(call.COUNT):
                    if calls[group, number, tally.COUNT] > 0:
                        _write_call(machine, group, number, rows, filled)
    return True


@inner
def _write_record(machine, group, what, rows, buckets, filled):
    entries = machine.statistics[group, what]
    counts = machine.histograms[group, what]
    row = rows[filled[sheet.FILLED]]
    _begin_row(machine, group, what, row, filled)
    row[field.COUNT] = entries[stat.COUNT]
    row[field.TOTAL_NS] = entries[stat.SUM]
    row[field.MAX_NS] = entries[stat.MAX]
    if what in (span.WAIT_SHARED, span.WAIT_EXCLUSIVE):
        row[field.WAITED] = entries[stat.COUNT] - counts[0]
    elif what == span.CALL:
        row[field.FAILED] = 0
        for number in range(call.COUNT):
            row[field.FAILED] += machine.calls[group, number, tally.FAILED]
    first = listed = filled[sheet.LISTED]
    reached, quantile = 0, 0
    for bucket in range(N_BUCKETS):
        if counts[bucket] == 0:
            continue
        buckets[listed, 0] = bucket
        buckets[listed, 1] = counts[bucket]
        listed += 1
        reached += counts[bucket]
        while quantile < len(field.SHARES) and reached >= _rank(
            field.SHARES[quantile], row[field.COUNT]
        ):
            row[field.QUANTILES + quantile] = min(highest_of(bucket), entries[stat.MAX])
            quantile += 1
        if reached == row[field.COUNT]:
            break
    row[field.LISTED] = listed - first
    filled[sheet.LISTED] = listed


@inner
def _write_call(machine, group, number, rows, filled):
    totals = machine.calls[group, number]
    row = rows[filled[sheet.FILLED]]
    _begin_row(machine, group, span.CALL, row, filled)
    row[field.CALL] = number
    row[field.COUNT] = totals[tally.COUNT]
    row[field.FAILED] = totals[tally.FAILED]
    row[field.TOTAL_NS] = totals[tally.SUM_NS]
    row[field.MAX_NS] = totals[tally.MAX_NS]
    row[field.LISTED] = 0


@inner
def _begin_row(machine, group, what, row, filled):
    filled[sheet.FILLED] += 1
    for column in range(field.SIZE):
        row[column] = field.NULL
    row[field.REPLICATION] = machine.clock[clock.REPLICATION]
    row[field.CLASS] = group
    row[field.RECORD] = what
    row[field.ELAPSED_NS] = machine.clock[clock.NOW]


@inner
def _rank(q, count):
    """The rank, from 1, of the q-quantile of `count` entries in ascending order."""
    return max(1, math.ceil(q * count))
