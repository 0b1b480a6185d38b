"""`fork`, as far as it concerns the parent's address space."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import backing, bit, effect, lock, mm, reg, vma, work
from rfcsim.model.vma import find_vma

# Where in the call a task is (reg.STEP).
ENTER = 0
LOCK = 1
COPY_VMAS = 2
SHARE_PAGES = 3
RETURN = 4


@cold
def step_fork(state, task, run_class, run_limit):
    """One move of `fork()`, under one exclusive hold of the parent's `mmap_sem`.

    The child gets copies of the VMAs, without VM_LOCKED, and shares the parent's anonymous pages: a
    write to one copies it first. The child itself is not modelled, so a page stays shared until it
    is written. reg.NEXT is the next page to look at. The value is 0. See
    :func:`rfcsim.model.step.step` for parameters and result.

    Source: `dup_mmap` (kernel/fork.c), `copy_page_range` and `copy_one_pte` (mm/memory.c), 2.6.36.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    if where == ENTER:
        regs[reg.STEP] = LOCK
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        regs[reg.STEP] = COPY_VMAS
        return effect.DOWN, lock.EXCLUSIVE, 0
    if where == COPY_VMAS:
        regs[reg.NEXT] = 0
        regs[reg.STEP] = SHARE_PAGES
        if state.mm[mm.MAP_COUNT] > 0:
            return effect.CPU, work.VMA_CHANGE, state.mm[mm.MAP_COUNT]
    if where != RETURN:
        count = _share_pages(state, regs, run_limit if run_class == work.UNMAP_PAGE else 1)
        if count > 0:
            return effect.CPU, work.UNMAP_PAGE, count
        regs[reg.STEP] = RETURN
        return effect.UP, lock.EXCLUSIVE, 0
    return effect.DONE, 0, 0


@inner
def _share_pages(state, regs, most):
    """Share the next anonymous pages with the child; returns how many, 0 when none is left."""
    vmas, pages = state.vmas, state.pages
    count = 0
    page = regs[reg.NEXT]
    row = find_vma(state, page)
    while count < most and row < state.mm[mm.MAP_COUNT]:
        page = max(page, vmas[row, vma.START])
        if vmas[row, vma.BACKING] != backing.ANON or page == vmas[row, vma.END]:
            page = vmas[row, vma.END]
            row += 1
            continue
        if pages[page] & (bit.PRESENT | bit.ZERO) == bit.PRESENT:
            pages[page] |= bit.COW
            count += 1
        page += 1
    regs[reg.NEXT] = page
    return count
