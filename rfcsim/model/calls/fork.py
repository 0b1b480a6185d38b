"""`fork`, as far as the parent's address space goes."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import (
    BACKING_ANON,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EXCLUSIVE,
    MM_MAP_COUNT,
    PAGE_COW,
    PAGE_PRESENT,
    PAGE_ZERO,
    REG_NEXT,
    REG_STEP,
    VMA_BACKING,
    VMA_END,
    VMA_START,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
)
from rfcsim.model.vma import find_vma

ENTER = 0
LOCK = 1
COPY_VMAS = 2
SHARE_PAGES = 3
RETURN = 4


@cold
def step_fork(state, task, run_class, run_limit):
    """One move of `fork()`, under one exclusive hold of the parent's `mmap_sem`.

    The child gets copies of the VMAs, without VM_LOCKED, and shares the parent's anonymous
    pages: a write to one copies it first. The child itself is not modelled, so the pages stay
    shared until written. REG_NEXT is the next page to look at. The value is 0. See
    :func:`rfcsim.model.step.step` for parameters and result.

    Source: `dup_mmap` (kernel/fork.c), `copy_page_range` and `copy_one_pte` (mm/memory.c), 2.6.36.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    if where == ENTER:
        regs[REG_STEP] = LOCK
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        regs[REG_STEP] = COPY_VMAS
        return EFFECT_DOWN, EXCLUSIVE, 0
    if where == COPY_VMAS:
        regs[REG_NEXT] = 0
        regs[REG_STEP] = SHARE_PAGES
        if state.mm[MM_MAP_COUNT] > 0:
            return EFFECT_CPU, WORK_VMA_CHANGE, state.mm[MM_MAP_COUNT]
    if where != RETURN:
        count = _share_pages(state, regs, run_limit if run_class == WORK_UNMAP_PAGE else 1)
        if count > 0:
            return EFFECT_CPU, WORK_UNMAP_PAGE, count
        regs[REG_STEP] = RETURN
        return EFFECT_UP, EXCLUSIVE, 0
    return EFFECT_DONE, 0, 0


@inner
def _share_pages(state, regs, most):
    """Share the next anonymous pages with the child; how many, 0 when none is left."""
    vmas, pages = state.vmas, state.pages
    count = 0
    page = regs[REG_NEXT]
    row = find_vma(state, page)
    while count < most and row < state.mm[MM_MAP_COUNT]:
        page = max(page, vmas[row, VMA_START])
        if vmas[row, VMA_BACKING] != BACKING_ANON or page == vmas[row, VMA_END]:
            page = vmas[row, VMA_END]
            row += 1
            continue
        if pages[page] & (PAGE_PRESENT | PAGE_ZERO) == PAGE_PRESENT:
            pages[page] |= PAGE_COW
            count += 1
        page += 1
    regs[REG_NEXT] = page
    return count
