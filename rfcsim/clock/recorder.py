"""Recorders of fixed size, and the bounded trace."""

from rfcsim._jit import inner
from rfcsim.clock.layout import (
    CLOCK_NOW,
    CLOCK_TRACED,
    STAT_COUNT,
    STAT_MAX,
    STAT_SUM,
    T_CLASS,
    TRACE_A,
    TRACE_B,
    TRACE_EVENT,
    TRACE_TASK,
    TRACE_TIME,
)
from rfcsim.histogram import bucket_of


@inner
def record(machine, task, what, nanoseconds):
    """Count one wait, hold or call (REC_*) of a task."""
    group = machine.threads[task, T_CLASS]
    statistics = machine.statistics
    statistics[group, what, STAT_COUNT] += 1
    statistics[group, what, STAT_SUM] += nanoseconds
    if nanoseconds > statistics[group, what, STAT_MAX]:
        statistics[group, what, STAT_MAX] = nanoseconds
    machine.histograms[group, what, bucket_of(nanoseconds)] += 1


@inner
def emit(machine, event, task, a, b):
    """Write an event (EV_*) to the trace if it is on; count it if there is no room."""
    trace = machine.trace
    if trace.shape[0] > 0:
        row = machine.clock[CLOCK_TRACED]
        machine.clock[CLOCK_TRACED] = row + 1
        if row < trace.shape[0]:
            trace[row, TRACE_TIME] = machine.clock[CLOCK_NOW]
            trace[row, TRACE_EVENT] = event
            trace[row, TRACE_TASK] = task
            trace[row, TRACE_A] = a
            trace[row, TRACE_B] = b
