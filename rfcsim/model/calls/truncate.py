"""`ftruncate` of a mapped file: pages vanish without `mmap_sem`."""

from rfcsim._jit import cold
from rfcsim.model.layout import (
    ALL_BITS,
    BACKING_ANON,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_WAIT_PAGE,
    PAGE_CACHED,
    PAGE_MARKED,
    PAGE_MLOCKED,
    PAGE_PAST_EOF,
    PAGE_PRESENT,
    PAGE_READING,
    REG_END,
    REG_NEXT,
    REG_START,
    REG_STEP,
    VMA_BACKING,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.vma import covers, find_vma

ENTER = 0
CUT = 1
UNMAP = 2


@cold
def step_truncate(state, task, run_class, run_limit):
    """One move of `ftruncate`: the file behind [REG_START, REG_END) now ends before REG_START.

    First the size changes, so that nobody can fault in what is behind it; then each page is
    unmapped, VM_LOCKED or not, and leaves the page cache. A page that is being read is waited
    for. See :func:`rfcsim.model.step.step` for parameters and result.

    Source: `truncate_setsize`, `truncate_pagecache` (mm/truncate.c), `unmap_mapping_range`
    (mm/memory.c), 2.6.36.
    """
    regs, pages = state.tasks[task], state.pages
    where = regs[REG_STEP]
    if where == ENTER:
        regs[REG_STEP] = CUT
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == CUT:
        for page in range(regs[REG_START], regs[REG_END]):
            pages[page] |= PAGE_PAST_EOF
        regs[REG_STEP] = UNMAP
        return EFFECT_CPU, WORK_VMA_VISIT, 1
    first = page = regs[REG_NEXT]
    most = run_limit if run_class == WORK_UNMAP_PAGE else 1
    stop = first + min(regs[REG_END] - first, most)  # first + most may overflow
    while page < stop and pages[page] & PAGE_READING == 0:
        gone = PAGE_CACHED | PAGE_MARKED
        row = find_vma(state, page)
        if not covers(state, row, page) or state.vmas[row, VMA_BACKING] != BACKING_ANON:
            gone |= PAGE_PRESENT | PAGE_MLOCKED
        pages[page] &= ALL_BITS ^ gone
        page += 1
    regs[REG_NEXT] = page
    if page > first:
        return EFFECT_CPU, WORK_UNMAP_PAGE, page - first
    if page < regs[REG_END]:
        return EFFECT_WAIT_PAGE, page, 0
    return EFFECT_DONE, 0, 0
