"""`ftruncate` of a mapped file: pages vanish without `mmap_sem`."""

from rfcsim._jit import cold
from rfcsim.model.layout import backing, bit, effect, reg, vma, work
from rfcsim.model.vma import covers, find_vma

# Where in the call a task is (reg.STEP).
ENTER = 0
CUT = 1
UNMAP = 2


@cold
def step_truncate(state, task, run_class, run_limit):
    """One move of `ftruncate`: the file behind [reg.START, reg.END) now ends before reg.START.

    First the size changes, so that nobody can fault in a page behind it. Then each page is
    unmapped, VM_LOCKED or not, and leaves the page cache. If a page is being read, the call waits
    for it. See :func:`rfcsim.model.step.step` for parameters and result.

    Source: `truncate_setsize`, `truncate_pagecache` (mm/truncate.c), `unmap_mapping_range`
    (mm/memory.c), 2.6.36.
    """
    regs, pages = state.tasks[task], state.pages
    where = regs[reg.STEP]
    if where == ENTER:
        regs[reg.STEP] = CUT
        return effect.CPU, work.SYSCALL, 1
    if where == CUT:
        for page in range(regs[reg.START], regs[reg.END]):
            pages[page] |= bit.PAST_EOF
        regs[reg.STEP] = UNMAP
        return effect.CPU, work.VMA_VISIT, 1
    first = page = regs[reg.NEXT]
    most = run_limit if run_class == work.UNMAP_PAGE else 1
    stop = first + min(regs[reg.END] - first, most)  # first + most may overflow
    while page < stop and pages[page] & bit.READING == 0:
        gone = bit.CACHED | bit.MARKED
        row = find_vma(state, page)
        if not covers(state, row, page) or state.vmas[row, vma.BACKING] != backing.ANON:
            gone |= bit.PRESENT | bit.MLOCKED
        pages[page] &= bit.ALL ^ gone
        page += 1
    regs[reg.NEXT] = page
    if page > first:
        return effect.CPU, work.UNMAP_PAGE, page - first
    if page < regs[reg.END]:
        return effect.WAIT_PAGE, page, 0
    return effect.DONE, 0, 0
