"""`get_user_pages`: the kernel itself reaches into user memory, as for O_DIRECT or `ptrace`."""

from rfcsim._jit import cold, inner
from rfcsim.model.calls.fault import fault_in, vma_for_access
from rfcsim.model.layout import (
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    ERESTARTSYS,
    REG_ARG,
    REG_END,
    REG_KILLED,
    REG_NEXT,
    REG_PAGE,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    SHARED,
    VM_LOCKED,
    VMA_FLAGS,
    VMA_START,
    WORK_MLOCK_ANON,
    WORK_SYSCALL,
    WORK_VMA_VISIT,
)
from rfcsim.model.pages import FAILED
from rfcsim.model.populate import skip_stack_guard
from rfcsim.model.shared import POPULATING
from rfcsim.model.vma import find_vma

# Where in the call a task is (REG_STEP), beside the shared stretches.
ENTER = 0
LOCK = 1
BEGIN = 2
LEAVE = 3
RETURN = 4


@cold
def step_get_user_pages(state, task):
    """One move of `get_user_pages(start, length)`; REG_ARG says whether it is going to write.

    One shared hold, disk waits included. A page below a stack lets the stack grow down to it. If
    that is VM_LOCKED, what it grew by is populated in this hold, which a page fault, though it
    lets a stack grow too, does not do. The value is how many pages it got, or -EFAULT if none. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `__get_user_pages`, mm/memory.c, and `find_extend_vma`, mm/mmap.c, 2.6.36. Since 6.5
    it lets no stack grow.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    if where == ENTER:
        regs[REG_STEP] = LOCK
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        regs[REG_STEP] = BEGIN
        regs[REG_PAGE] = regs[REG_START]
        return EFFECT_DOWN, SHARED, 0
    if where == RETURN:
        return EFFECT_DONE, regs[REG_RETURN], 0
    if where != LEAVE:  # BEGIN, POPULATED
        page = regs[REG_PAGE]
        done = page - regs[REG_START]
        if page == regs[REG_END]:
            regs[REG_RETURN] = done
        elif regs[REG_KILLED] != 0:
            regs[REG_RETURN] = done if done > 0 else ERESTARTSYS
        elif _grows_locked_stack(state, regs, page):
            return EFFECT_CPU, WORK_VMA_VISIT, 1
        else:
            kind, a, b = fault_in(state, task, page, regs[REG_ARG] != 0, WORK_MLOCK_ANON)
            if kind == EFFECT_CPU:
                regs[REG_PAGE] = page + 1
            if kind != FAILED:
                return kind, a, b
            regs[REG_RETURN] = done if done > 0 else a
    regs[REG_STEP] = RETURN
    return EFFECT_UP, SHARED, 0


@inner
def _grows_locked_stack(state, regs, page):
    """Whether a VM_LOCKED stack grows down to the page; what it grew by is then populated next.

    Source: `find_extend_vma`, 2.6.36.
    """
    vmas = state.vmas
    above = find_vma(state, page)
    start = vmas[above, VMA_START]
    row = vma_for_access(state, page)
    if row < 0 or start <= page or not vmas[row, VMA_FLAGS] & VM_LOCKED:
        return False
    regs[REG_NEXT] = page
    regs[REG_STOP] = start
    regs[REG_STEP] = POPULATING
    skip_stack_guard(state, row, regs)
    return True
