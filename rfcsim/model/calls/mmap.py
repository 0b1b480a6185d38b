"""`mmap(MAP_FIXED)` and `munmap`."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MMAP,
    EAGAIN,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EINVAL,
    ENOMEM,
    EPERM,
    EXCLUSIVE,
    MAP_POPULATE,
    MM_DEF_FLAGS,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_TOTAL_VM,
    REG_ARG,
    REG_BACKING,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_RETURN,
    REG_START,
    REG_STEP,
    VM_LOCKED,
    VMA_FLAGS,
    WORK_SYSCALL,
    WORK_VMA_CHANGE,
)
from rfcsim.model.limits import can_do_mlock, over_limit
from rfcsim.model.populate import enter_populating, lock_new_range
from rfcsim.model.shared import UNMAPPED, WHOLE_RANGE, begin_unmapping
from rfcsim.model.vma import UNTOUCHABLE, find_vma, insert_vma

# Where in the call a task is (REG_STEP), beside the shared stretches.
ENTER = 0
LOCK = 1
CHECK = 2
LEAVE = 3
RETURN = 4


@inner
def step_mmap(state, task):
    """One move of `mmap(MAP_FIXED)` or of `munmap`, under one hold.

    `mmap` unmaps what is in the way first, as `mmap_region` does, and populates what is VM_LOCKED
    (MAP_LOCKED, or mlockall(MCL_FUTURE) before) or MAP_POPULATE. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `do_mmap_pgoff`, `mmap_region` and `do_munmap`, mm/mmap.c, 2.6.36, where `munmap`
    still unmapped its pages under the write lock; `__do_munmap`, 4.20, where it does not.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    if where == ENTER:
        regs[REG_STEP] = LOCK
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        regs[REG_STEP] = CHECK
        return EFFECT_DOWN, EXCLUSIVE, 0
    if where == CHECK:
        regs[REG_RETURN] = _refusal(state, regs)
        if regs[REG_RETURN] == 0:
            return begin_unmapping(regs, WHOLE_RANGE)
    if where == UNMAPPED + WHOLE_RANGE and regs[REG_RETURN] == 0 and regs[REG_CALL] == CALL_MMAP:
        regs[REG_RETURN] = regs[REG_START]
        _insert(state, regs)
        return EFFECT_CPU, WORK_VMA_CHANGE, 1
    if where != RETURN:
        regs[REG_STEP] = RETURN
        return EFFECT_UP, regs[REG_HELD], 0
    return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def _refusal(state, regs):
    """The errno of the tests before anything changes, or 0."""
    pages = regs[REG_END] - regs[REG_START]
    if pages == 0:
        return EINVAL
    if regs[REG_CALL] != CALL_MMAP:
        return 0
    if state.mm[MM_MAP_COUNT] > state.mm[MM_MAX_MAP_COUNT]:
        return ENOMEM
    if regs[REG_ARG] & VM_LOCKED and not can_do_mlock(state):
        return EPERM
    if (regs[REG_ARG] | state.mm[MM_DEF_FLAGS]) & VM_LOCKED and over_limit(state, pages):
        return EAGAIN
    return 0


@inner
def _insert(state, regs):
    """Insert the VMA; the step that follows is set: populating, or the release.

    The kernel charges what is locked once it is populated; here it is charged at once, which
    nobody can tell from outside the hold.
    """
    vmas, mm = state.vmas, state.mm
    start, end = regs[REG_START], regs[REG_END]
    row = find_vma(state, start)
    flags = (regs[REG_ARG] & ~MAP_POPULATE) | mm[MM_DEF_FLAGS]
    insert_vma(state, row, start, end, flags, regs[REG_BACKING], mm[MM_NEXT_IDENTITY])
    mm[MM_NEXT_IDENTITY] += 1
    mm[MM_TOTAL_VM] += end - start
    regs[REG_STEP] = LEAVE
    if vmas[row, VMA_FLAGS] & VM_LOCKED:
        mm[MM_LOCKED_VM] += lock_new_range(state, row, regs, start, end)
    elif regs[REG_ARG] & MAP_POPULATE and not vmas[row, VMA_FLAGS] & UNTOUCHABLE:
        enter_populating(state, regs, start, end)
