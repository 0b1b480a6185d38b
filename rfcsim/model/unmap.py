"""Unmapping a range: the stretch that `munmap`, `mmap`, `brk` and `mremap` share."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    ALL_BITS,
    CALL_MUNMAP,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWNGRADE,
    ENOMEM,
    MM_DESIGN,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_TOTAL_VM,
    PAGE_COW,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    PAGE_ZERO,
    REG_CALL,
    REG_NEXT,
    REG_RETURN,
    REG_STEP,
    REG_STOP,
    RULE_UNMAP_DOWNGRADES,
    SHARED,
    VM_GROWSDOWN,
    VM_LOCKED,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_MUNLOCK_PAGE,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.shared import OLD_PLACE, UNMAP_STEPS, UNMAPPING
from rfcsim.model.vma import find_vma, intersects, map_count_reached, remove_rows, split

MAPPED_BITS = (
    PAGE_PRESENT | PAGE_MLOCKED | PAGE_ZERO | PAGE_COW
)  # what goes when a page is unmapped

# Where in the stretch a task is.
SPLIT = 0
FLAGS = 1
CLEAR = 2
REMOVE = 3
ZAP = 4
DOWNGRADE = 5


@inner
def unmap(state, task, start, end, run_class, run_limit):
    """One move of unmapping [start, end), under the exclusive hold; `EFFECT_DONE` when over.

    A range with nothing mapped is over at once. If a split fails, REG_RETURN says so and the
    range stays mapped. A `munmap` that downgrades is left with the shared hold.

    Source: `do_munmap`, mm/mmap.c, 2.6.36; `__do_munmap`, 4.20.
    """
    regs = state.tasks[task]
    stage = (regs[REG_STEP] - UNMAPPING) // UNMAP_STEPS
    first_step = UNMAPPING + UNMAP_STEPS * stage
    while True:
        where = regs[REG_STEP] - first_step
        if where == ZAP:
            count = zap(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_UNMAP_PAGE, count
            return EFFECT_DONE, 0, 0
        if where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MUNLOCK_PAGE, count
            regs[REG_STEP] = first_step + FLAGS
        elif where == FLAGS:
            if _clear_next_flag(state, regs, end):
                regs[REG_STEP] = first_step + CLEAR
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_STEP] = first_step + REMOVE
        elif where == REMOVE:
            removed = _remove(state, regs, start, end)
            downgrades = _downgrades(state, regs, start)
            regs[REG_STEP] = first_step + (DOWNGRADE if downgrades else ZAP)
            if stage == OLD_PLACE:
                regs[REG_NEXT] = regs[REG_STOP]
            return EFFECT_CPU, WORK_VMA_CHANGE, removed
        elif where == DOWNGRADE:
            regs[REG_STEP] = first_step + ZAP
            return EFFECT_DOWNGRADE, SHARED, 0
        else:  # SPLIT
            if start >= end or not intersects(state, find_vma(state, start), start, end):
                return EFFECT_DONE, 0, 0
            changes = _split_ends(state, start, end)
            if changes < 0:
                regs[REG_RETURN] = changes
                return EFFECT_DONE, 0, 0
            regs[REG_NEXT] = start
            regs[REG_STEP] = first_step + FLAGS
            if changes > 0:
                return EFFECT_CPU, WORK_VMA_CHANGE, changes
            return EFFECT_CPU, WORK_VMA_VISIT, 1


@inner
def _downgrades(state, regs, start):
    """Whether the pages from `start` on, now in no VMA, are visited under a shared hold.

    Not below a VMA that grows down: it would grow into them.

    Source: `detach_vmas_to_be_unmapped`, mm/mmap.c, 5.8.
    """
    if state.mm[MM_DESIGN] & RULE_UNMAP_DOWNGRADES == 0 or regs[REG_CALL] != CALL_MUNMAP:
        return False
    row = find_vma(state, start)
    return row == state.mm[MM_MAP_COUNT] or state.vmas[row, VMA_FLAGS] & VM_GROWSDOWN == 0


@inner
def _split_ends(state, start, end):
    """Split the VMAs that straddle the ends of the range; how many splits, or -ENOMEM.

    Only a split in the middle of one VMA is tested against `max_map_count`.
    """
    vmas = state.vmas
    changes = 0
    row = find_vma(state, start)
    if vmas[row, VMA_START] < start:
        if end < vmas[row, VMA_END] and map_count_reached(state):
            return ENOMEM
        split(state, row, start)
        changes += 1
    row = find_vma(state, end)
    if row < state.mm[MM_MAP_COUNT] and vmas[row, VMA_START] < end:
        split(state, row, end)
        changes += 1
    return changes


@inner
def _clear_next_flag(state, regs, end):
    """Clear VM_LOCKED on the next locked VMA of the range; False if there is none."""
    vmas = state.vmas
    row = find_vma(state, regs[REG_NEXT])
    while intersects(state, row, regs[REG_NEXT], end):
        if vmas[row, VMA_FLAGS] & VM_LOCKED:
            vmas[row, VMA_FLAGS] &= ~VM_LOCKED
            state.mm[MM_LOCKED_VM] -= vmas[row, VMA_END] - vmas[row, VMA_START]
            regs[REG_NEXT] = vmas[row, VMA_START]
            regs[REG_STOP] = vmas[row, VMA_END]
            return True
        row += 1
    return False


@inner
def clear_mlocked(state, regs, run_class, run_limit):
    """Clear PG_mlocked on pages of [REG_NEXT, REG_STOP); how many, one or a run.

    Source: `munlock_vma_pages_range`, 2.6.36: its cost is per page of address range.
    """
    first = regs[REG_NEXT]
    most = run_limit if run_class == WORK_MUNLOCK_PAGE else 1
    count = min(regs[REG_STOP] - first, most)
    for page in range(first, first + count):
        state.pages[page] &= ALL_BITS ^ PAGE_MLOCKED
    regs[REG_NEXT] = first + count
    return count


@inner
def _remove(state, regs, start, end):
    """Take the range's VMAs out; [REG_NEXT, REG_STOP) is then what `zap` visits."""
    vmas = state.vmas
    first = find_vma(state, start)
    last = first
    while intersects(state, last, start, end):
        state.mm[MM_TOTAL_VM] -= vmas[last, VMA_END] - vmas[last, VMA_START]
        last += 1
    regs[REG_NEXT] = vmas[first, VMA_START]
    regs[REG_STOP] = vmas[last - 1, VMA_END]
    remove_rows(state, first, last)
    return last - first


@inner
def zap(state, regs, run_class, run_limit):
    """Unmap pages of [REG_NEXT, REG_STOP); how many, one or a run. The page cache stays.

    Source: `unmap_region`, 2.6.36.
    """
    first = regs[REG_NEXT]
    most = run_limit if run_class == WORK_UNMAP_PAGE else 1
    count = min(regs[REG_STOP] - first, most)
    for page in range(first, first + count):
        state.pages[page] &= ALL_BITS ^ MAPPED_BITS
    regs[REG_NEXT] = first + count
    return count
