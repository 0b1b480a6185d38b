"""What tasks do of their own accord: begin calls, end them, think in between."""

from rfcsim._jit import inner
from rfcsim.clock.layout import (
    CALL_COUNT,
    CALL_FAILED,
    CALL_MAX_NS,
    CALL_SUM_NS,
    CLOCK_END,
    CLOCK_FINITE,
    CLOCK_NOW,
    CLOCK_UNFINISHED,
    EV_CALL_BEGIN,
    EV_CALL_END,
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_PAUSE_NS,
    OP_PICK,
    OP_PIECE_PAGES,
    OP_START,
    OP_THINK_KIND,
    OP_THINK_NS,
    OP_WORK_KIND,
    OP_WORK_NS,
    PHASE_FINISHED,
    PICK_RANDOM,
    PICK_SEQUENTIAL,
    REC_CALL,
    REC_ROUND,
    S_CALL_BEGAN,
    S_CALLS,
    S_LAST_CLASS,
    S_LAST_RETURN,
    S_OP,
    S_PHASE,
    S_PIECE,
    S_ROUND,
    S_ROUND_BEGAN,
    T_CLASS,
    T_FIRST_OP,
    T_OPS,
    T_REPEATS,
)
from rfcsim.clock.random import duration, uniform
from rfcsim.clock.recorder import emit, record
from rfcsim.model.layout import CALL_HOLD, CALL_NONE, CALL_TOUCH, REG_CALL, REG_KILLED
from rfcsim.model.step import begin

PROGRAM_OVER = -1


@inner
def may_begin(machine, task):
    """Whether a task may still begin a call now."""
    clock = machine.clock
    if machine.state.tasks[task, REG_KILLED] != 0:
        return False
    if clock[CLOCK_END] > 0:
        return clock[CLOCK_NOW] < clock[CLOCK_END]
    return clock[CLOCK_FINITE] > 0


@inner
def begin_call(machine, task):
    """Let a task begin the call of its current row."""
    clock, schedule = machine.clock, machine.schedule
    row = schedule[task, S_OP]
    op = machine.programs[row]
    start, pages, backing = op[OP_START], op[OP_PAGES], op[OP_BACKING]
    if op[OP_PIECE_PAGES] > 0:
        start += schedule[task, S_PIECE]
        pages = min(op[OP_PIECE_PAGES], pages - schedule[task, S_PIECE])
    if op[OP_CALL] == CALL_TOUCH:
        if op[OP_PICK] == PICK_RANDOM:
            start += int(uniform(clock, schedule, task) * pages)
        elif op[OP_PICK] == PICK_SEQUENTIAL:
            start += schedule[task, S_ROUND] % pages
        pages = 1
    elif op[OP_CALL] == CALL_HOLD:
        backing = duration(clock, schedule, task, op[OP_WORK_KIND], op[OP_WORK_NS])
    schedule[task, S_CALL_BEGAN] = clock[CLOCK_NOW]
    if row == machine.threads[task, T_FIRST_OP] and schedule[task, S_PIECE] == 0:
        schedule[task, S_ROUND_BEGAN] = clock[CLOCK_NOW]
    schedule[task, S_LAST_CLASS] = -1
    emit(machine, EV_CALL_BEGIN, task, op[OP_CALL], 0)
    begin(machine.state, task, op[OP_CALL], start, pages, op[OP_ARG], backing)


@inner
def end_call(machine, task, value):
    """Record a call that returns; the think time before the next one, or PROGRAM_OVER."""
    clock, schedule, threads = machine.clock, machine.schedule, machine.threads
    call = machine.state.tasks[task, REG_CALL]
    took = clock[CLOCK_NOW] - schedule[task, S_CALL_BEGAN]
    record(machine, task, REC_CALL, took)
    totals = machine.calls[threads[task, T_CLASS], call]
    totals[CALL_COUNT] += 1
    if value < 0:
        totals[CALL_FAILED] += 1
    totals[CALL_SUM_NS] += took
    totals[CALL_MAX_NS] = max(totals[CALL_MAX_NS], took)
    schedule[task, S_CALLS] += 1
    schedule[task, S_LAST_RETURN] = value
    machine.state.tasks[task, REG_CALL] = CALL_NONE
    emit(machine, EV_CALL_END, task, call, value)

    if machine.state.tasks[task, REG_KILLED] != 0:
        return PROGRAM_OVER
    op = machine.programs[schedule[task, S_OP]]
    if op[OP_PIECE_PAGES] > 0 and value >= 0:
        schedule[task, S_PIECE] += op[OP_PIECE_PAGES]
        if schedule[task, S_PIECE] < op[OP_PAGES]:
            return op[OP_PAUSE_NS]
    schedule[task, S_PIECE] = 0
    schedule[task, S_OP] += 1
    if schedule[task, S_OP] == threads[task, T_FIRST_OP] + threads[task, T_OPS]:
        schedule[task, S_OP] = threads[task, T_FIRST_OP]
        schedule[task, S_ROUND] += 1
        record(machine, task, REC_ROUND, clock[CLOCK_NOW] - schedule[task, S_ROUND_BEGAN])
        if schedule[task, S_ROUND] == threads[task, T_REPEATS]:
            return PROGRAM_OVER
    op = machine.programs[schedule[task, S_OP]]
    return duration(clock, schedule, task, op[OP_THINK_KIND], op[OP_THINK_NS])


@inner
def finish(machine, task):
    """A task's program is over."""
    machine.schedule[task, S_PHASE] = PHASE_FINISHED
    machine.clock[CLOCK_UNFINISHED] -= 1
    if machine.threads[task, T_REPEATS] > 0:
        machine.clock[CLOCK_FINITE] -= 1
