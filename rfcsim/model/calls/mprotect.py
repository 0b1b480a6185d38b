"""`mprotect`."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import (
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    ENOMEM,
    EXCLUSIVE,
    PAGE_PRESENT,
    REG_ARG,
    REG_END,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    VM_EXEC,
    VM_READ,
    VM_WRITE,
    VMA_END,
    VMA_FLAGS,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.vma import change_flags, covers, find_vma, walked_to

PROTECTION = VM_READ | VM_WRITE | VM_EXEC

# Where in the call a task is (REG_STEP).
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

    Pages stay as they are: present ones remain so without permission, and the zero page remains
    where write permission comes, until a write. REG_ARG is the protection, as VM_*. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `sys_mprotect`, `mprotect_fixup` and `change_protection`, mm/mprotect.c, 2.6.36. The
    last visits page-table entries without a chance to reschedule: one step, however many pages.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == ENTER:
            regs[REG_STEP] = RETURN if regs[REG_START] == regs[REG_END] else LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        if where == LOCK:
            regs[REG_STEP] = CHECK
            return EFFECT_DOWN, EXCLUSIVE, 0
        if where == CHECK:
            if covers(state, find_vma(state, regs[REG_START]), regs[REG_START]):
                regs[REG_NEXT] = regs[REG_START]
                regs[REG_STEP] = FIXUP
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_RETURN] = ENOMEM
            regs[REG_STEP] = LEAVE
        elif where == FIXUP:
            kind, a, b = _fixup(state, regs)
            if kind != EFFECT_DONE:
                return kind, a, b
            regs[REG_STEP] = LEAVE
        elif where == CHANGE_PAGES:
            present = _present_pages(state, regs)
            regs[REG_NEXT] = regs[REG_STOP]
            regs[REG_STEP] = FIXUP
            if present > 0:
                return EFFECT_CPU, WORK_UNMAP_PAGE, present
        elif where == LEAVE:
            regs[REG_STEP] = RETURN
            return EFFECT_UP, EXCLUSIVE, 0
        else:
            return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def _fixup(state, regs):
    """Change the part of the range that the next VMA covers; `EFFECT_DONE` when there is none."""
    vmas = state.vmas
    start = walked_to(state, regs)
    if start >= regs[REG_END]:
        return EFFECT_DONE, 0, 0
    row = find_vma(state, start)
    if not covers(state, row, start):
        regs[REG_RETURN] = ENOMEM
        return EFFECT_DONE, 0, 0
    end = min(vmas[row, VMA_END], regs[REG_END])
    flags = vmas[row, VMA_FLAGS]
    new_flags = (flags & ~PROTECTION) | regs[REG_ARG]
    regs[REG_NEXT] = start
    regs[REG_STOP] = end
    changes = 0
    if flags == new_flags:
        regs[REG_NEXT] = end
    else:
        row, changes = change_flags(state, row, start, end, new_flags)
        if row < 0:
            regs[REG_RETURN] = row
            regs[REG_STEP] = LEAVE
        else:
            regs[REG_STEP] = CHANGE_PAGES
    if changes > 0:
        return EFFECT_CPU, WORK_VMA_CHANGE, changes
    return EFFECT_CPU, WORK_VMA_VISIT, 1


@inner
def _present_pages(state, regs):
    """How many pages of [REG_NEXT, REG_STOP) are present."""
    present = 0
    for page in range(regs[REG_NEXT], regs[REG_STOP]):
        present += state.pages[page] & PAGE_PRESENT  # the lowest bit
    return present
