"""What tasks do of their own accord: begin calls, end them, think in between."""

from rfcsim._jit import inner
from rfcsim.clock.layout import clock, event, phase, pick, sched, span, tally
from rfcsim.clock.random import duration, uniform
from rfcsim.clock.recorder import emit, record
from rfcsim.model.layout import call, operation, reg, thread
from rfcsim.model.step import begin

PROGRAM_OVER = -1


@inner
def may_begin(machine, task):
    """Whether a task may still begin a call now."""
    if machine.state.tasks[task, reg.KILLED] != 0:
        return False
    if machine.clock[clock.END] > 0:
        return machine.clock[clock.NOW] < machine.clock[clock.END]
    return machine.clock[clock.FINITE] > 0


@inner
def begin_call(machine, task):
    """Let a task begin the call of its current row."""
    schedule = machine.schedule
    row = schedule[task, sched.OP]
    op = machine.programs[row]
    start, pages, backing = op[operation.START], op[operation.PAGES], op[operation.BACKING]
    if op[operation.PIECE_PAGES] > 0:
        start += schedule[task, sched.PIECE]
        pages = min(op[operation.PIECE_PAGES], pages - schedule[task, sched.PIECE])
    if op[operation.CALL] == call.TOUCH:
        if op[operation.PICK] == pick.RANDOM:
            start += int(uniform(machine, task) * pages)
        elif op[operation.PICK] == pick.SEQUENTIAL:
            start += schedule[task, sched.ROUND] % pages
        pages = 1
    elif op[operation.CALL] == call.HOLD:
        backing = duration(machine, task, op[operation.WORK_KIND], op[operation.WORK_NS])
    schedule[task, sched.CALL_BEGAN] = machine.clock[clock.NOW]
    if row == machine.threads[task, thread.FIRST_OP] and schedule[task, sched.PIECE] == 0:
        schedule[task, sched.ROUND_BEGAN] = machine.clock[clock.NOW]
    schedule[task, sched.LAST_CLASS] = -1
    emit(machine, event.CALL_BEGIN, task, op[operation.CALL], 0)
    begin(machine.state, task, op[operation.CALL], start, pages, op[operation.ARG], backing)


@inner
def end_call(machine, task, value):
    """Record a call that returns; returns the ns until the next call, or PROGRAM_OVER."""
    schedule, threads = machine.schedule, machine.threads
    this_call = machine.state.tasks[task, reg.CALL]
    took = machine.clock[clock.NOW] - schedule[task, sched.CALL_BEGAN]
    record(machine, task, span.CALL, took)
    totals = machine.calls[threads[task, thread.CLASS], this_call]
    totals[tally.COUNT] += 1
    if value < 0:
        totals[tally.FAILED] += 1
    totals[tally.SUM_NS] += took
    totals[tally.MAX_NS] = max(totals[tally.MAX_NS], took)
    schedule[task, sched.CALLS] += 1
    schedule[task, sched.LAST_RETURN] = value
    machine.state.tasks[task, reg.CALL] = call.NONE
    emit(machine, event.CALL_END, task, this_call, value)

    if machine.state.tasks[task, reg.KILLED] != 0:
        return PROGRAM_OVER
    op = machine.programs[schedule[task, sched.OP]]
    if op[operation.PIECE_PAGES] > 0 and value >= 0:
        schedule[task, sched.PIECE] += op[operation.PIECE_PAGES]
        if schedule[task, sched.PIECE] < op[operation.PAGES]:
            return op[operation.PAUSE_NS]
    schedule[task, sched.PIECE] = 0
    schedule[task, sched.OP] += 1
    if schedule[task, sched.OP] == threads[task, thread.FIRST_OP] + threads[task, thread.OPS]:
        schedule[task, sched.OP] = threads[task, thread.FIRST_OP]
        schedule[task, sched.ROUND] += 1
        record(
            machine, task, span.ROUND, machine.clock[clock.NOW] - schedule[task, sched.ROUND_BEGAN]
        )
        if schedule[task, sched.ROUND] == threads[task, thread.REPEATS]:
            return PROGRAM_OVER
    op = machine.programs[schedule[task, sched.OP]]
    return duration(machine, task, op[operation.THINK_KIND], op[operation.THINK_NS])


@inner
def finish(machine, task):
    """End a task whose program is over."""
    machine.schedule[task, sched.PHASE] = phase.FINISHED
    machine.clock[clock.UNFINISHED] -= 1
    if machine.threads[task, thread.REPEATS] > 0:
        machine.clock[clock.FINITE] -= 1
