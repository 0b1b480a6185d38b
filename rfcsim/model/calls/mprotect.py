"""`mprotect`."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import bit, effect, errno, lock, reg, vm, vma, work
from rfcsim.model.vma import change_flags, covers, find_vma, walked_to

PROTECTION = vm.READ | vm.WRITE | vm.EXEC

# Where in the call a task is (reg.STEP).
ENTER = 0
LOCK = 1
CHECK = 2
FIXUP = 3
CHANGE_PAGES = 4
LEAVE = 5
RETURN = 6


@cold
def step_mprotect(state, task):
    """One move of `mprotect(start, length, protection)`, under one exclusive hold.

    Pages stay as they are. A present page remains present without permission, and the zero page
    remains where write permission is given, until a write. reg.ARG is the protection, as VM_*. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `sys_mprotect`, `mprotect_fixup` and `change_protection`, mm/mprotect.c, 2.6.36.
    `change_protection` visits page-table entries without a chance to reschedule, so it is one step,
    however many pages there are.
    """
    regs = state.tasks[task]
    while True:
        where = regs[reg.STEP]
        if where == ENTER:
            regs[reg.STEP] = RETURN if regs[reg.START] == regs[reg.END] else LOCK
            return effect.CPU, work.SYSCALL, 1
        if where == LOCK:
            regs[reg.STEP] = CHECK
            return effect.DOWN, lock.EXCLUSIVE, 0
        if where == CHECK:
            if covers(state, find_vma(state, regs[reg.START]), regs[reg.START]):
                regs[reg.NEXT] = regs[reg.START]
                regs[reg.STEP] = FIXUP
                return effect.CPU, work.VMA_VISIT, 1
            regs[reg.RETURN] = errno.ENOMEM
            regs[reg.STEP] = LEAVE
        elif where == FIXUP:
            kind, a, b = _fixup(state, regs)
            if kind != effect.DONE:
                return kind, a, b
            regs[reg.STEP] = LEAVE
        elif where == CHANGE_PAGES:
            present = _present_pages(state, regs)
            regs[reg.NEXT] = regs[reg.STOP]
            regs[reg.STEP] = FIXUP
            if present > 0:
                return effect.CPU, work.UNMAP_PAGE, present
        elif where == LEAVE:
            regs[reg.STEP] = RETURN
            return effect.UP, lock.EXCLUSIVE, 0
        else:
            return effect.DONE, regs[reg.RETURN], 0


@inner
def _fixup(state, regs):
    """Change the part of the range that the next VMA covers; `effect.DONE` when there is none."""
    vmas = state.vmas
    start = walked_to(state, regs)
    if start >= regs[reg.END]:
        return effect.DONE, 0, 0
    row = find_vma(state, start)
    if not covers(state, row, start):
        regs[reg.RETURN] = errno.ENOMEM
        return effect.DONE, 0, 0
    end = min(vmas[row, vma.END], regs[reg.END])
    flags = vmas[row, vma.FLAGS]
    new_flags = (flags & ~PROTECTION) | regs[reg.ARG]
    regs[reg.NEXT] = start
    regs[reg.STOP] = end
    changes = 0
    if flags == new_flags:
        regs[reg.NEXT] = end
    else:
        row, changes = change_flags(state, row, start, end, new_flags)
        if row < 0:
            regs[reg.RETURN] = row
            regs[reg.STEP] = LEAVE
        else:
            regs[reg.STEP] = CHANGE_PAGES
    if changes > 0:
        return effect.CPU, work.VMA_CHANGE, changes
    return effect.CPU, work.VMA_VISIT, 1


@inner
def _present_pages(state, regs):
    """How many pages of [reg.NEXT, reg.STOP) are present."""
    present = 0
    for page in range(regs[reg.NEXT], regs[reg.STOP]):
        present += state.pages[page] & bit.PRESENT  # the lowest bit
    return present
