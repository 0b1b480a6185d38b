"""What a run records: statistics and histograms of fixed size, and the bounded trace."""

from rfcsim._jit import inner
from rfcsim.clock.layout import clock, stat, trace
from rfcsim.histogram import bucket_of
from rfcsim.model.layout import thread


@inner
def record(machine, task, what, nanoseconds):
    """Count one wait, hold, call or round (span.*) of a task."""
    group = machine.threads[task, thread.CLASS]
    statistics = machine.statistics
    statistics[group, what, stat.COUNT] += 1
    statistics[group, what, stat.SUM] += nanoseconds
    if nanoseconds > statistics[group, what, stat.MAX]:
        statistics[group, what, stat.MAX] = nanoseconds
    machine.histograms[group, what, bucket_of(nanoseconds)] += 1


@inner
def emit(machine, event, task, a, b):
    """Write an event (event.*) to the trace, if there is one; without room only count it."""
    if machine.trace.shape[0] > 0:
        row = machine.clock[clock.TRACED]
        machine.clock[clock.TRACED] = row + 1
        if row < machine.trace.shape[0]:
            machine.trace[row, trace.TIME] = machine.clock[clock.NOW]
            machine.trace[row, trace.EVENT] = event
            machine.trace[row, trace.TASK] = task
            machine.trace[row, trace.A] = a
            machine.trace[row, trace.B] = b
