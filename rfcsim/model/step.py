"""The one entry to the model: begin a call, make its next move."""

from rfcsim._jit import cold, njit
from rfcsim.model.calls.brk import step_brk
from rfcsim.model.calls.fault import step_touch
from rfcsim.model.calls.fork import step_fork
from rfcsim.model.calls.gup import step_get_user_pages
from rfcsim.model.calls.kill import step_kill
from rfcsim.model.calls.mlock import step_mlock
from rfcsim.model.calls.mmap import step_mmap
from rfcsim.model.calls.mprotect import step_mprotect
from rfcsim.model.calls.mremap import step_mremap, unmapped_by_mremap
from rfcsim.model.calls.other import step_hold, step_read_maps
from rfcsim.model.calls.remap import step_remap
from rfcsim.model.calls.truncate import step_truncate
from rfcsim.model.layout import (
    CALL_BRK,
    CALL_FORK,
    CALL_GET_USER_PAGES,
    CALL_HOLD,
    CALL_KILL,
    CALL_MMAP,
    CALL_MPROTECT,
    CALL_MREMAP,
    CALL_MUNMAP,
    CALL_POPULATE,
    CALL_READ_MAPS,
    CALL_REMAP_FILE_PAGES,
    CALL_TOUCH,
    CALL_TRUNCATE,
    EFFECT_DONE,
    REG_ARG,
    REG_BACKING,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_LOOKED_UP,
    REG_NEXT,
    REG_PART,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    UNLOCKED,
)
from rfcsim.model.populate import populate
from rfcsim.model.second_pass import step_populate, step_second_pass
from rfcsim.model.shared import (
    GO_ON,
    LEAVE_TO_POPULATE,
    PART_FIRST_PAGE,
    PART_OVER,
    POPULATED,
    POPULATING,
    UNMAP_STEPS,
    UNMAPPED,
    UNMAPPING,
)
from rfcsim.model.unmap import unmap


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
        The range in pages; of `mlockall` and `munlockall` all of them.
    arg, backing : int
        `mmap`: VM_* flags, with VM_LOCKED for MAP_LOCKED and MAP_POPULATE, and BACKING_*.
        `mremap`: the new number of pages, and the new first page, MREMAP_MAYMOVE or
        MREMAP_IN_PLACE. `mprotect`: VM_* of the protection. `mlock`: MLOCK_ONFAULT or 0.
        `mlockall`: MCL_*. `remap_file_pages`: MAP_NONBLOCK or 0. `kill`: the task.
        `touch`, `get_user_pages`: 1 for a write. `hold`: the lock mode, and the nanoseconds.
        Otherwise 0.
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
    regs[REG_PART] = 0


@cold
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
    # One function, not several: each level of inlining is compiled anew with all below it.
    regs = state.tasks[task]
    call = regs[REG_CALL]
    while True:
        where = regs[REG_STEP]
        if where == POPULATING or where >= PART_FIRST_PAGE:
            kind, a, b = populate(state, task, run_class, run_limit)
            if kind != EFFECT_DONE:
                return kind, a, b
            where = POPULATED if where == POPULATING else PART_OVER
            regs[REG_STEP] = where
        if where >= LEAVE_TO_POPULATE:
            return step_second_pass(state, task)
        if where >= UNMAPPING:
            stage = (where - UNMAPPING) // UNMAP_STEPS
            start, end = regs[REG_START], regs[REG_END]
            if call == CALL_MREMAP:
                start, end = unmapped_by_mremap(regs, stage)
            elif call == CALL_BRK:
                start, end = end, regs[REG_RETURN]
            kind, a, b = unmap(state, task, start, end, run_class, run_limit)
            if kind != EFFECT_DONE:
                return kind, a, b
            regs[REG_STEP] = UNMAPPED + stage
        if call == CALL_TOUCH:
            return step_touch(state, task)
        if call == CALL_HOLD:
            return step_hold(state, task)
        if call == CALL_READ_MAPS:
            return step_read_maps(state, task)
        if call == CALL_TRUNCATE:
            return step_truncate(state, task, run_class, run_limit)
        if call == CALL_POPULATE:
            return step_populate(state, task)
        if call == CALL_GET_USER_PAGES:
            return step_get_user_pages(state, task)
        if call == CALL_FORK:
            return step_fork(state, task, run_class, run_limit)
        if call == CALL_KILL:
            return step_kill(state, task)
        if call == CALL_MPROTECT:
            return step_mprotect(state, task)
        if call in (CALL_MMAP, CALL_MUNMAP):
            kind, a, b = step_mmap(state, task)
        elif call == CALL_BRK:
            kind, a, b = step_brk(state, task)
        elif call == CALL_MREMAP:
            kind, a, b = step_mremap(state, task, run_class, run_limit)
        elif call == CALL_REMAP_FILE_PAGES:
            kind, a, b = step_remap(state, task, run_class, run_limit)
        else:
            kind, a, b = step_mlock(state, task, run_class, run_limit)
        if kind != GO_ON:
            return kind, a, b


@njit
def take_step(state, task):
    """:func:`step` for callers in Python: one move, page by page."""
    return step(state, task, -1, 1)
