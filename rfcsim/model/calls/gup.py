"""`get_user_pages`: the kernel itself accesses user memory, as for O_DIRECT or `ptrace`."""

from rfcsim._jit import cold, inner
from rfcsim.model.calls.fault import fault_in, vma_for_access
from rfcsim.model.layout import effect, errno, lock, reg, vm, vma, work
from rfcsim.model.pages import FAILED
from rfcsim.model.populate import skip_stack_guard
from rfcsim.model.shared import POPULATING
from rfcsim.model.vma import find_vma

# Where in the call a task is (reg.STEP), apart from the shared stretches.
ENTER = 0
LOCK = 1
BEGIN = 2
LEAVE = 3
RETURN = 4


@cold
def step_get_user_pages(state, task):
    """One move of `get_user_pages(start, length)`; reg.ARG says whether it is going to write.

    It holds the lock shared all the time, waits for the disk included. An access below a stack lets
    the stack grow. If the stack is VM_LOCKED, the pages by which it grew are populated in this
    hold. (A page fault lets a stack grow too, but populates nothing.) The value is the number of
    pages that it got, or the error if it got none: -EFAULT, or -ERESTARTSYS after a fatal signal.
    See :func:`rfcsim.model.step.step` for the result.

    Source: `__get_user_pages`, mm/memory.c, and `find_extend_vma`, mm/mmap.c, 2.6.36. Since 6.5
    it lets no stack grow.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    if where == ENTER:
        regs[reg.STEP] = LOCK
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        regs[reg.STEP] = BEGIN
        regs[reg.PAGE] = regs[reg.START]
        return effect.DOWN, lock.SHARED, 0
    if where == RETURN:
        return effect.DONE, regs[reg.RETURN], 0
    if where != LEAVE:  # BEGIN, POPULATED
        page = regs[reg.PAGE]
        done = page - regs[reg.START]
        if page == regs[reg.END]:
            regs[reg.RETURN] = done
        elif regs[reg.KILLED] != 0:
            regs[reg.RETURN] = done if done > 0 else errno.ERESTARTSYS
        elif _grows_locked_stack(state, regs, page):
            return effect.CPU, work.VMA_VISIT, 1
        else:
            kind, a, b = fault_in(state, task, page, regs[reg.ARG] != 0, work.MLOCK_ANON)
            if kind == effect.CPU:
                regs[reg.PAGE] = page + 1
            if kind != FAILED:
                return kind, a, b
            regs[reg.RETURN] = done if done > 0 else a
    regs[reg.STEP] = RETURN
    return effect.UP, lock.SHARED, 0


@inner
def _grows_locked_stack(state, regs, page):
    """Whether a VM_LOCKED stack grows down to the page; its new pages are then populated next.

    Source: `find_extend_vma`, 2.6.36.
    """
    vmas = state.vmas
    above = find_vma(state, page)
    start = vmas[above, vma.START]
    row = vma_for_access(state, page)
    if row < 0 or start <= page or not vmas[row, vma.FLAGS] & vm.LOCKED:
        return False
    regs[reg.NEXT] = page
    regs[reg.STOP] = start
    regs[reg.STEP] = POPULATING
    skip_stack_guard(state, row, regs)
    return True
