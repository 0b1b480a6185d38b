"""The one entry to the model: begin a call, make its next move."""

from rfcsim._jit import inner, njit
from rfcsim.model.fault import step_touch
from rfcsim.model.layout import (
    CALL_HOLD,
    CALL_MLOCK,
    CALL_MUNLOCK,
    CALL_READ_MAPS,
    CALL_TOUCH,
    REG_ARG,
    REG_BACKING,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_LOOKED_UP,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    UNLOCKED,
)
from rfcsim.model.mlock import step_mlock, step_munlock
from rfcsim.model.mmap import step_mmap
from rfcsim.model.other import step_hold, step_read_maps


@njit
def begin(state, task, call, start, pages, arg, backing):
    """Let a task between calls enter one.

    Parameters
    ----------
    state : State
    task : int
    call : int
        CALL_*.
    start, pages : int
        The range in pages.
    arg, backing : int
        `mmap`: VM_* flags and BACKING_*. `touch`: 1 for a write. `hold`: the lock mode, and the
        nanoseconds. Otherwise 0.
    """
    regs = state.tasks[task]
    regs[REG_CALL] = call
    regs[REG_STEP] = 0
    regs[REG_START] = start
    regs[REG_END] = start + pages
    regs[REG_ARG] = arg
    regs[REG_BACKING] = backing
    regs[REG_NEXT] = start
    regs[REG_STOP] = start
    regs[REG_HELD] = UNLOCKED
    regs[REG_RETURN] = 0
    regs[REG_LOOKED_UP] = -1


@inner
def step(state, task, run_class, run_limit):
    """Let a task that is inside a call make its next move.

    Parameters
    ----------
    state : State
        Changed in place. The caller performs EFFECT_DOWN and EFFECT_UP with
        :mod:`rfcsim.model.rwsem` and the end of a read with
        :func:`rfcsim.model.pages.complete_read`.
    task : int
    run_class, run_limit : int
        A move that works on one page may work on a run of pages instead if they all cost
        `run_class`: at most `run_limit` of them. With (-1, 1) every move is one page.

    Returns
    -------
    (int, int, int)
        EFFECT_* and its two numbers, see :mod:`rfcsim.model.layout`.
    """
    call = state.tasks[task, REG_CALL]
    if call == CALL_TOUCH:
        return step_touch(state, task)
    if call == CALL_HOLD:
        return step_hold(state, task)
    if call == CALL_READ_MAPS:
        return step_read_maps(state, task)
    if call == CALL_MLOCK:
        return step_mlock(state, task, run_class, run_limit)
    if call == CALL_MUNLOCK:
        return step_munlock(state, task, run_class, run_limit)
    return step_mmap(state, task, run_class, run_limit)


@njit
def take_step(state, task):
    """:func:`step` for callers in Python: one move, page by page."""
    return step(state, task, -1, 1)
