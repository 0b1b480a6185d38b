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
from rfcsim.model.layout import call, effect, lock, reg
from rfcsim.model.populate import populate
from rfcsim.model.second_pass import step_populate, step_second_pass
from rfcsim.model.shared import (
    GO_ON,
    LEAVE_TO_POPULATE,
    NO_STEP,
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
    """Begin a call of a task that is between calls.

    Parameters
    ----------
    state : State
    task : int
    call : int
        call.*.
    start, pages : int
        The range: its first page and its length. For `mlockall` and `munlockall` it is the whole
        address space.
    arg, backing : int
        What else the call is given. 0, 0 unless it is named here:

        - `mmap`: VM_* (VM_LOCKED for MAP_LOCKED) with or without MAP_POPULATE; backing.*.
        - `mremap`: the new number of pages; the new first page, MREMAP_MAYMOVE or
          MREMAP_IN_PLACE.
        - `mprotect`: VM_* of the protection; 0.
        - `mlock`: MLOCK_ONFAULT or 0; 0.
        - `mlockall`: MCL_*; 0.
        - `remap_file_pages`: MAP_NONBLOCK or 0; 0.
        - `kill`: the task; 0.
        - `touch`, `get_user_pages`: 1 for a write, else 0; 0.
        - `hold`: the lock mode; the nanoseconds.
    """
    regs = state.tasks[task]
    regs[reg.CALL] = call
    regs[reg.STEP] = 0
    regs[reg.START] = start
    regs[reg.END] = start + pages
    regs[reg.ARG] = arg
    regs[reg.BACKING] = backing
    regs[reg.NEXT] = start
    regs[reg.STOP] = start
    regs[reg.HELD] = lock.UNLOCKED
    regs[reg.RETURN] = 0
    regs[reg.LOOKED_UP] = -1
    regs[reg.PART] = 0


@cold
def step(state, task, run_class, run_limit):
    """Let a task that is inside a call make its next move.

    Parameters
    ----------
    state : State
        Changed in place. The caller carries out effect.DOWN, effect.UP and effect.DOWNGRADE with
        :mod:`rfcsim.model.rwsem`, and the end of a read with
        :func:`rfcsim.model.pages.complete_read`.
    task : int
    run_class, run_limit : int
        A move that works on one page may work on a run of pages instead if they all cost
        `run_class`: at most `run_limit` of them. With (-1, 1) every move is one page.

    Returns
    -------
    (int, int, int)
        effect.* and its two numbers: see :mod:`rfcsim.model.layout.effect`.
    """
    # One function, not several: each level of inlining is compiled again with all below it.
    regs = state.tasks[task]
    this_call = regs[reg.CALL]
    while True:
        where = regs[reg.STEP]
        if where == POPULATING or where >= PART_FIRST_PAGE:
            kind, a, b = populate(state, task, run_class, run_limit)
            if kind != effect.DONE:
                return kind, a, b
            where = POPULATED if where == POPULATING else PART_OVER
            regs[reg.STEP] = where
        if where >= LEAVE_TO_POPULATE:
            return step_second_pass(state, task)
        if where >= UNMAPPING:
            stage = (where - UNMAPPING) // UNMAP_STEPS
            start, end = regs[reg.START], regs[reg.END]
            if this_call == call.MREMAP:
                start, end = unmapped_by_mremap(regs, stage)
            elif this_call == call.BRK:
                start, end = end, regs[reg.RETURN]
            kind, a, b = unmap(state, task, start, end, run_class, run_limit)
            if kind != effect.DONE:
                return kind, a, b
            regs[reg.STEP] = UNMAPPED + stage
        if this_call == call.TOUCH:
            return step_touch(state, task)
        if this_call == call.HOLD:
            return step_hold(state, task)
        if this_call == call.READ_MAPS:
            return step_read_maps(state, task)
        if this_call == call.TRUNCATE:
            return step_truncate(state, task, run_class, run_limit)
        if this_call == call.POPULATE:
            return step_populate(state, task)
        if this_call == call.GET_USER_PAGES:
            return step_get_user_pages(state, task)
        if this_call == call.FORK:
            return step_fork(state, task, run_class, run_limit)
        if this_call == call.KILL:
            return step_kill(state, task)
        if this_call == call.MPROTECT:
            return step_mprotect(state, task)
        if this_call in (call.MMAP, call.MUNMAP):
            kind, a, b = step_mmap(state, task)
        elif this_call == call.BRK:
            kind, a, b = step_brk(state, task)
        elif this_call == call.MREMAP:
            kind, a, b = step_mremap(state, task, run_class, run_limit)
        elif this_call == call.REMAP_FILE_PAGES:
            kind, a, b = step_remap(state, task, run_class, run_limit)
        elif this_call in (call.MLOCK, call.MUNLOCK, call.MLOCKALL, call.MUNLOCKALL):
            kind, a, b = step_mlock(state, task, run_class, run_limit)
        else:
            return NO_STEP, 0, 0
        if kind != GO_ON:
            return kind, a, b


@njit
def take_step(state, task):
    """:func:`step` for callers in Python: one move, page by page."""
    return step(state, task, -1, 1)
