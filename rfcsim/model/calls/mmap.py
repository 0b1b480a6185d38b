"""`mmap(MAP_FIXED)` and `munmap`."""

from rfcsim._jit import inner
from rfcsim.model.layout import call, effect, errno, flag, lock, mm, reg, vm, vma, work
from rfcsim.model.limits import can_do_mlock, over_limit
from rfcsim.model.populate import enter_populating, lock_new_range
from rfcsim.model.shared import UNMAPPED, WHOLE_RANGE, begin_unmapping
from rfcsim.model.vma import UNTOUCHABLE, find_vma, insert_vma

# Where in the call a task is (reg.STEP), apart from the shared stretches.
ENTER = 0
LOCK = 1
CHECK = 2
LEAVE = 3
RETURN = 4


@inner
def step_mmap(state, task):
    """One move of `mmap(MAP_FIXED)` or of `munmap`, under one hold.

    `mmap` first unmaps what is in the way, as `mmap_region` does. It populates the mapping if that
    is VM_LOCKED (by MAP_LOCKED, or by an earlier mlockall(MCL_FUTURE)) or MAP_POPULATE is given.
    See :func:`rfcsim.model.step.step` for the result.

    Source: `do_mmap_pgoff`, `mmap_region` and `do_munmap`, mm/mmap.c, 2.6.36, where `munmap` unmaps
    its pages under the write lock; `__do_munmap`, 4.20, where it does not.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    if where == ENTER:
        regs[reg.STEP] = LOCK
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        regs[reg.STEP] = CHECK
        return effect.DOWN, lock.EXCLUSIVE, 0
    if where == CHECK:
        regs[reg.RETURN] = _refusal(state, regs)
        if regs[reg.RETURN] == 0:
            return begin_unmapping(regs, WHOLE_RANGE)
    if where == UNMAPPED + WHOLE_RANGE and regs[reg.RETURN] == 0 and regs[reg.CALL] == call.MMAP:
        regs[reg.RETURN] = regs[reg.START]
        _insert(state, regs)
        return effect.CPU, work.VMA_CHANGE, 1
    if where != RETURN:
        regs[reg.STEP] = RETURN
        return effect.UP, regs[reg.HELD], 0
    return effect.DONE, regs[reg.RETURN], 0


@inner
def _refusal(state, regs):
    """The errno of the tests that come before any change, or 0."""
    pages = regs[reg.END] - regs[reg.START]
    if pages == 0:
        return errno.EINVAL
    if regs[reg.CALL] != call.MMAP:
        return 0
    if state.mm[mm.MAP_COUNT] > state.mm[mm.MAX_MAP_COUNT]:
        return errno.ENOMEM
    if regs[reg.ARG] & vm.LOCKED and not can_do_mlock(state):
        return errno.EPERM
    if (regs[reg.ARG] | state.mm[mm.DEF_FLAGS]) & vm.LOCKED and over_limit(state, pages):
        return errno.EAGAIN
    return 0


@inner
def _insert(state, regs):
    """Insert the VMA and set the next step, which is populating or the release.

    The kernel charges a locked mapping once it is populated. Here it is charged at once; from
    outside the hold nobody can tell the difference.
    """
    vmas = state.vmas
    start, end = regs[reg.START], regs[reg.END]
    row = find_vma(state, start)
    flags = (regs[reg.ARG] & ~flag.MAP_POPULATE) | state.mm[mm.DEF_FLAGS]
    insert_vma(state, row, start, end, flags, regs[reg.BACKING], state.mm[mm.NEXT_IDENTITY])
    state.mm[mm.NEXT_IDENTITY] += 1
    state.mm[mm.TOTAL_VM] += end - start
    regs[reg.STEP] = LEAVE
    if vmas[row, vma.FLAGS] & vm.LOCKED:
        state.mm[mm.LOCKED_VM] += lock_new_range(state, row, regs, start, end)
    elif regs[reg.ARG] & flag.MAP_POPULATE and not vmas[row, vma.FLAGS] & UNTOUCHABLE:
        enter_populating(state, regs, start, end)
