"""Unmapping a range: the stretch that `munmap`, `mmap`, `brk` and `mremap` share."""

from rfcsim._jit import inner
from rfcsim.model.layout import bit, call, effect, errno, lock, mm, reg, rule, vm, vma, work
from rfcsim.model.shared import OLD_PLACE, UNMAP_STEPS, UNMAPPING
from rfcsim.model.vma import find_vma, intersects, map_count_reached, remove_rows, split

MAPPED_BITS = bit.PRESENT | bit.MLOCKED | bit.ZERO | bit.COW  # cleared when a page is unmapped

# Where in the stretch a task is.
SPLIT = 0
FLAGS = 1
CLEAR = 2
REMOVE = 3
ZAP = 4
DOWNGRADE = 5


@inner
def unmap(state, task, start, end, run_class, run_limit):
    """One move of unmapping [start, end) under the exclusive hold; `effect.DONE` when it is over.

    If nothing is mapped there, it is over at once. If a split fails, reg.RETURN says so and the
    range stays mapped. A `munmap` that downgrades is left with the shared hold.

    Source: `do_munmap`, mm/mmap.c, 2.6.36; `__do_munmap`, 4.20.
    """
    regs = state.tasks[task]
    stage = (regs[reg.STEP] - UNMAPPING) // UNMAP_STEPS
    first_step = UNMAPPING + UNMAP_STEPS * stage
    while True:
        where = regs[reg.STEP] - first_step
        if where == ZAP:
            count = zap(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.UNMAP_PAGE, count
            return effect.DONE, 0, 0
        if where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.MUNLOCK_PAGE, count
            regs[reg.STEP] = first_step + FLAGS
        elif where == FLAGS:
            if _clear_next_flag(state, regs, end):
                regs[reg.STEP] = first_step + CLEAR
                return effect.CPU, work.VMA_VISIT, 1
            regs[reg.STEP] = first_step + REMOVE
        elif where == REMOVE:
            removed = _remove(state, regs, start, end)
            downgrades = _downgrades(state, regs, start)
            regs[reg.STEP] = first_step + (DOWNGRADE if downgrades else ZAP)
            if stage == OLD_PLACE:
                regs[reg.NEXT] = regs[reg.STOP]
            return effect.CPU, work.VMA_CHANGE, removed
        elif where == DOWNGRADE:
            regs[reg.STEP] = first_step + ZAP
            return effect.DOWNGRADE, lock.SHARED, 0
        else:  # SPLIT
            if start >= end or not intersects(state, find_vma(state, start), start, end):
                return effect.DONE, 0, 0
            changes = _split_ends(state, start, end)
            if changes < 0:
                regs[reg.RETURN] = changes
                return effect.DONE, 0, 0
            regs[reg.NEXT] = start
            regs[reg.STEP] = first_step + FLAGS
            if changes > 0:
                return effect.CPU, work.VMA_CHANGE, changes
            return effect.CPU, work.VMA_VISIT, 1


@inner
def _downgrades(state, regs, start):
    """Whether the pages from `start` on, now in no VMA, are visited under a shared hold.

    They are not if the next VMA grows down, since it could grow into them.

    Source: `detach_vmas_to_be_unmapped`, mm/mmap.c, 5.8.
    """
    if state.mm[mm.DESIGN] & rule.UNMAP_DOWNGRADES == 0 or regs[reg.CALL] != call.MUNMAP:
        return False
    row = find_vma(state, start)
    return row == state.mm[mm.MAP_COUNT] or state.vmas[row, vma.FLAGS] & vm.GROWSDOWN == 0


@inner
def _split_ends(state, start, end):
    """Split the VMAs that straddle the ends of the range; returns how many splits, or -ENOMEM.

    Only a split in the middle of one VMA is tested against `max_map_count`.
    """
    vmas = state.vmas
    changes = 0
    row = find_vma(state, start)
    if vmas[row, vma.START] < start:
        if end < vmas[row, vma.END] and map_count_reached(state):
            return errno.ENOMEM
        split(state, row, start)
        changes += 1
    row = find_vma(state, end)
    if row < state.mm[mm.MAP_COUNT] and vmas[row, vma.START] < end:
        split(state, row, end)
        changes += 1
    return changes


@inner
def _clear_next_flag(state, regs, end):
    """Clear VM_LOCKED on the next locked VMA of the range; False if there is none."""
    vmas = state.vmas
    row = find_vma(state, regs[reg.NEXT])
    while intersects(state, row, regs[reg.NEXT], end):
        if vmas[row, vma.FLAGS] & vm.LOCKED:
            vmas[row, vma.FLAGS] &= ~vm.LOCKED
            state.mm[mm.LOCKED_VM] -= vmas[row, vma.END] - vmas[row, vma.START]
            regs[reg.NEXT] = vmas[row, vma.START]
            regs[reg.STOP] = vmas[row, vma.END]
            return True
        row += 1
    return False


@inner
def clear_mlocked(state, regs, run_class, run_limit):
    """Clear PG_mlocked on a page of [reg.NEXT, reg.STOP), or on a run; returns how many pages.

    Source: `munlock_vma_pages_range`, 2.6.36: its cost is per page of address range.
    """
    most = run_limit if run_class == work.MUNLOCK_PAGE else 1
    return _clear(state, regs, bit.MLOCKED, most)


@inner
def _remove(state, regs, start, end):
    """Remove the range's VMAs; returns how many. `zap` then visits [reg.NEXT, reg.STOP)."""
    vmas = state.vmas
    first = find_vma(state, start)
    last = first
    while intersects(state, last, start, end):
        state.mm[mm.TOTAL_VM] -= vmas[last, vma.END] - vmas[last, vma.START]
        last += 1
    regs[reg.NEXT] = vmas[first, vma.START]
    regs[reg.STOP] = vmas[last - 1, vma.END]
    remove_rows(state, first, last)
    return last - first


@inner
def zap(state, regs, run_class, run_limit):
    """Unmap a page of [reg.NEXT, reg.STOP), or a run; returns how many. The page cache stays.

    Source: `unmap_region`, 2.6.36.
    """
    most = run_limit if run_class == work.UNMAP_PAGE else 1
    return _clear(state, regs, MAPPED_BITS, most)


@inner
def _clear(state, regs, bits, most):
    """Clear bits of at most `most` pages of [reg.NEXT, reg.STOP); returns of how many."""
    first = regs[reg.NEXT]
    count = min(regs[reg.STOP] - first, most)
    for page in range(first, first + count):
        state.pages[page] &= bit.ALL ^ bits
    regs[reg.NEXT] = first + count
    return count
