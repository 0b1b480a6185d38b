"""`remap_file_pages`: a mapping that shows the pages of a file in another order."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import backing, effect, errno, flag, lock, mm, reg, rule, vm, vma, work
from rfcsim.model.populate import enter_populating
from rfcsim.model.shared import GO_ON, POPULATED, POPULATING
from rfcsim.model.unmap import clear_mlocked, zap
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, covers, find_vma

# Where in the call a task is (reg.STEP), apart from the shared stretches.
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

    reg.ARG is MAP_NONBLOCK or 0. The hold is shared. Only the first call on a VMA, which makes it
    VM_NONLINEAR, holds the lock exclusively. The range loses its page-table entries and is then
    populated. Which page of the file a page shows is not modelled. See
    :func:`rfcsim.model.step.step` for parameters and result.

    A VM_LOCKED VMA is without that flag while PG_mlocked is cleared. Before 3.9 that may be under a
    shared hold, so that others who share the lock can see it.

    Source: `sys_remap_file_pages` and `populate_range`, mm/fremap.c, 2.6.36, for a file whose
    dirty pages are not accounted (tmpfs, SysV shared memory); from 3.9 on as there.
    """
    regs = state.tasks[task]
    while True:
        where = regs[reg.STEP]
        if where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.MUNLOCK_PAGE, count
            state.vmas[find_vma(state, regs[reg.START]), vma.FLAGS] |= vm.LOCKED
            _begin(regs, ZAP)
        elif where == ZAP:
            count = zap(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.UNMAP_PAGE, count
            regs[reg.STEP] = POPULATE
        elif where == POPULATE:
            if _enter_populating(state, regs):
                return GO_ON, 0, 0
        elif where == DOWNGRADE:
            regs[reg.STEP] = POPULATING
            return effect.DOWNGRADE, lock.SHARED, 0
        elif where in (LEAVE, POPULATED):
            regs[reg.STEP] = RETURN
            return effect.UP, regs[reg.HELD], 0
        elif where == RETURN:
            return effect.DONE, regs[reg.RETURN], 0
        elif where == ENTER:
            regs[reg.STEP] = LOCK
            if regs[reg.START] == regs[reg.END]:
                regs[reg.RETURN] = errno.EINVAL
                regs[reg.STEP] = RETURN
            return effect.CPU, work.SYSCALL, 1
        elif where in (LOCK, LOCK_EXCLUSIVELY):
            regs[reg.STEP] = CHECK
            return effect.DOWN, lock.SHARED if where == LOCK else lock.EXCLUSIVE, 0
        else:  # CHECK
            row = find_vma(state, regs[reg.START])
            if not _may_remap(state, row, regs):
                regs[reg.RETURN] = errno.EINVAL
                regs[reg.STEP] = LEAVE
            elif regs[reg.HELD] == lock.SHARED and _must_be_exclusive(state, row):
                regs[reg.STEP] = LOCK_EXCLUSIVELY
                return effect.UP, lock.SHARED, 0
            else:
                return effect.CPU, _convert(state, row, regs), 1


@inner
def _begin(regs, where):
    """Begin to go over the pages of the whole range, in the step `where`."""
    regs[reg.NEXT] = regs[reg.START]
    regs[reg.STOP] = regs[reg.END]
    regs[reg.STEP] = where


@inner
def _may_remap(state, row, regs):
    """Whether the tests for -EINVAL are passed: one VMA of a plain file covers the range.

    Every file is taken to be mapped MAP_SHARED. A driver's VMA lacks VM_CAN_NONLINEAR.
    """
    return (
        covers(state, row, regs[reg.START])
        and regs[reg.END] <= state.vmas[row, vma.END]
        and state.vmas[row, vma.BACKING] == backing.FILE
        and state.vmas[row, vma.FLAGS] & (SPECIAL | UNTOUCHABLE) == 0
    )


@inner
def _must_be_exclusive(state, row):
    """Whether flags are going to change, which takes the exclusive lock.

    To set VM_NONLINEAR is such a change. To put VM_LOCKED away is one too, but 2.6.36 overlooks it.

    Source: M. Lespinasse, 'mm: remap_file_pages() fixes', 3.9.
    """
    flags = state.vmas[row, vma.FLAGS]
    if not flags & vm.NONLINEAR:
        return True
    return flags & vm.LOCKED != 0 and state.mm[mm.DESIGN] & rule.MAP_AFTERWARDS != 0


@inner
def _convert(state, row, regs):
    """Set VM_NONLINEAR, and put VM_LOCKED away until the marks are cleared; returns the work."""
    flags = state.vmas[row, vma.FLAGS]
    state.vmas[row, vma.FLAGS] = (flags | vm.NONLINEAR) & ~vm.LOCKED
    _begin(regs, CLEAR if flags & vm.LOCKED else ZAP)
    return work.VMA_VISIT if flags & vm.NONLINEAR else work.VMA_CHANGE


@inner
def _enter_populating(state, regs):
    """Whether to populate now; else reg.STEP is the downgrade that comes first, or the release.

    2.6.36 populates a VM_LOCKED VMA in the mode in which it holds the lock, and any other VMA under
    a shared hold. 3.9 releases the lock first, and populates a VM_LOCKED VMA in any case.
    """
    locked = state.vmas[find_vma(state, regs[reg.START]), vma.FLAGS] & vm.LOCKED != 0
    after = state.mm[mm.DESIGN] & rule.MAP_AFTERWARDS != 0
    if regs[reg.ARG] & flag.MAP_NONBLOCK and not (after and locked):
        regs[reg.STEP] = LEAVE
        return False
    enter_populating(state, regs, regs[reg.START], regs[reg.END])
    if not after:
        regs[reg.MARKS] = locked
        if not locked and regs[reg.HELD] == lock.EXCLUSIVE:
            regs[reg.STEP] = DOWNGRADE
            return False
    return True
