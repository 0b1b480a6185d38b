"""`remap_file_pages`: a mapping of a file whose pages lie in another order than in the file."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import (
    BACKING_FILE,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_UP,
    EINVAL,
    EXCLUSIVE,
    MAP_NONBLOCK,
    MM_DESIGN,
    REG_ARG,
    REG_END,
    REG_HELD,
    REG_MARKS,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    RULE_MAP_AFTERWARDS,
    SHARED,
    VM_LOCKED,
    VM_NONLINEAR,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    WORK_MUNLOCK_PAGE,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.populate import enter_populating
from rfcsim.model.shared import GO_ON, POPULATED, POPULATING
from rfcsim.model.unmap import clear_mlocked, zap
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, covers, find_vma

# Where in the call a task is (REG_STEP), beside the shared stretches.
ENTER = 0
LOCK = 1
CHECK = 2
LOCK_EXCLUSIVELY = 3
CLEAR = 4
ZAP = 5
POPULATE = 6
DOWNGRADE = 7
LEAVE = 8
RETURN = 9


@cold
def step_remap(state, task, run_class, run_limit):
    """One move of `remap_file_pages(start, length)`, which maps another part of the file there.

    REG_ARG has MAP_NONBLOCK, or is 0. The hold is shared; the first call on a VMA makes it
    VM_NONLINEAR, and holds the lock exclusively for that. What is mapped there loses its
    page-table entries, and is then populated. Which page of the file a page shows is not
    modelled. See :func:`rfcsim.model.step.step` for parameters and result.

    In a VM_LOCKED VMA the flag is away while PG_mlocked is cleared, until 3.9 under a shared hold
    too: others who share it can see that.

    Source: `sys_remap_file_pages` and `populate_range`, mm/fremap.c, 2.6.36, for a file whose
    dirty pages are not accounted (tmpfs, SysV shared memory); from 3.9 on as there.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MUNLOCK_PAGE, count
            state.vmas[find_vma(state, regs[REG_START]), VMA_FLAGS] |= VM_LOCKED
            _begin(regs, ZAP)
        elif where == ZAP:
            count = zap(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_UNMAP_PAGE, count
            regs[REG_STEP] = POPULATE
        elif where == POPULATE:
            if _enter_populating(state, regs):
                return GO_ON, 0, 0
        elif where == DOWNGRADE:
            regs[REG_STEP] = POPULATING
            return EFFECT_DOWNGRADE, SHARED, 0
        elif where in (LEAVE, POPULATED):
            regs[REG_STEP] = RETURN
            return EFFECT_UP, regs[REG_HELD], 0
        elif where == RETURN:
            return EFFECT_DONE, regs[REG_RETURN], 0
        elif where == ENTER:
            regs[REG_STEP] = LOCK
            if regs[REG_START] == regs[REG_END]:
                regs[REG_RETURN] = EINVAL
                regs[REG_STEP] = RETURN
            return EFFECT_CPU, WORK_SYSCALL, 1
        elif where in (LOCK, LOCK_EXCLUSIVELY):
            regs[REG_STEP] = CHECK
            return EFFECT_DOWN, SHARED if where == LOCK else EXCLUSIVE, 0
        else:  # CHECK
            row = find_vma(state, regs[REG_START])
            if not _may_remap(state, row, regs):
                regs[REG_RETURN] = EINVAL
                regs[REG_STEP] = LEAVE
            elif regs[REG_HELD] == SHARED and _must_be_exclusive(state, row):
                regs[REG_STEP] = LOCK_EXCLUSIVELY
                return EFFECT_UP, SHARED, 0
            else:
                return EFFECT_CPU, _convert(state, row, regs), 1


@inner
def _begin(regs, where):
    """Go over the pages of the whole range, in the step `where`."""
    regs[REG_NEXT] = regs[REG_START]
    regs[REG_STOP] = regs[REG_END]
    regs[REG_STEP] = where


@inner
def _may_remap(state, row, regs):
    """The tests for -EINVAL: one VMA of a plain file covers the range.

    Every file is taken to be mapped MAP_SHARED here. A driver's VMA lacks VM_CAN_NONLINEAR.
    """
    return (
        covers(state, row, regs[REG_START])
        and regs[REG_END] <= state.vmas[row, VMA_END]
        and state.vmas[row, VMA_BACKING] == BACKING_FILE
        and state.vmas[row, VMA_FLAGS] & (SPECIAL | UNTOUCHABLE) == 0
    )


@inner
def _must_be_exclusive(state, row):
    """Whether flags change: to VM_NONLINEAR or, which 2.6.36 overlooks, of a VM_LOCKED VMA.

    Source: M. Lespinasse, 'mm: remap_file_pages() fixes', 3.9.
    """
    flags = state.vmas[row, VMA_FLAGS]
    if not flags & VM_NONLINEAR:
        return True
    return flags & VM_LOCKED != 0 and state.mm[MM_DESIGN] & RULE_MAP_AFTERWARDS != 0


@inner
def _convert(state, row, regs):
    """Set VM_NONLINEAR, and put VM_LOCKED away for clearing the marks; the work that it takes."""
    flags = state.vmas[row, VMA_FLAGS]
    state.vmas[row, VMA_FLAGS] = (flags | VM_NONLINEAR) & ~VM_LOCKED
    _begin(regs, CLEAR if flags & VM_LOCKED else ZAP)
    return WORK_VMA_VISIT if flags & VM_NONLINEAR else WORK_VMA_CHANGE


@inner
def _enter_populating(state, regs):
    """Whether there is populating to do now; REG_STEP is set: that, a downgrade, or the release.

    2.6.36 populates a VM_LOCKED VMA in whatever mode it holds the lock, another one under a
    shared hold. 3.9 releases the lock first, and populates a VM_LOCKED VMA in any case.
    """
    locked = state.vmas[find_vma(state, regs[REG_START]), VMA_FLAGS] & VM_LOCKED != 0
    after = state.mm[MM_DESIGN] & RULE_MAP_AFTERWARDS != 0
    if regs[REG_ARG] & MAP_NONBLOCK and not (after and locked):
        regs[REG_STEP] = LEAVE
        return False
    enter_populating(state, regs, regs[REG_START], regs[REG_END])
    if not after:
        regs[REG_MARKS] = locked
        if not locked and regs[REG_HELD] == EXCLUSIVE:
            regs[REG_STEP] = DOWNGRADE
            return False
    return True
