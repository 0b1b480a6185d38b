"""`mremap`: shrink, grow in place, move."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import backing, bit, effect, errno, flag, lock, mm, reg, vm, vma, work
from rfcsim.model.limits import over_limit
from rfcsim.model.populate import lock_new_range
from rfcsim.model.shared import (
    DESTINATION,
    GO_ON,
    OLD_PLACE,
    TAIL,
    UNMAPPED,
    begin_unmapping,
)
from rfcsim.model.unmap import MAPPED_BITS
from rfcsim.model.vma import covers, find_vma, fits, insert_row, merge_with_next

FILE_BITS = bit.CACHED | bit.MARKED | bit.PAST_EOF  # what is known of file pages moves along
SPARE_ROWS = 3  # how far move_vma keeps below max_map_count: unmapping may split a VMA in three

# Where in the call a task is (reg.STEP), apart from the shared stretches.
ENTER = 0
LOCK = 1
CHECK = 2
RESIZE = 3
MOVE = 4
LEAVE = 5
RETURN = 6


@cold
def step_mremap(state, task, run_class, run_limit):
    """One move of `mremap(start, old length, new length, flags, new start)`.

    reg.ARG is the new number of pages. reg.BACKING is the new first page, for MREMAP_FIXED, or
    MREMAP_MAYMOVE or MREMAP_IN_PLACE. There is one exclusive hold. A mapping that moves keeps its
    pages, its identity and its flags, VM_LOCKED among them; only the pages by which it grows are
    populated. reg.RETURN is where it moves to. See :func:`rfcsim.model.step.step` for parameters
    and result.

    Source: `do_mremap`, `mremap_to`, `vma_to_resize` and `move_vma`, mm/mremap.c, 2.6.36.
    """
    regs = state.tasks[task]
    while True:
        where = regs[reg.STEP]
        if where == MOVE:
            count = _move_pages(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.UNMAP_PAGE, count
            return begin_unmapping(regs, OLD_PLACE)
        if where == ENTER:
            regs[reg.STEP] = LOCK
            return effect.CPU, work.SYSCALL, 1
        if where == LOCK:
            regs[reg.STEP] = CHECK
            return effect.DOWN, lock.EXCLUSIVE, 0
        if where == CHECK:
            regs[reg.STEP] = LEAVE
            if _is_invalid(state, regs):
                regs[reg.RETURN] = errno.EINVAL
            elif regs[reg.BACKING] >= 0:
                regs[reg.RETURN] = regs[reg.BACKING]
                return begin_unmapping(regs, DESTINATION)
            else:
                regs[reg.RETURN] = regs[reg.START]
                if regs[reg.ARG] <= regs[reg.END] - regs[reg.START]:
                    return begin_unmapping(regs, TAIL)
                regs[reg.STEP] = RESIZE
        elif where == UNMAPPED + DESTINATION:
            if regs[reg.RETURN] >= 0:
                return begin_unmapping(regs, TAIL)
            regs[reg.STEP] = LEAVE
        elif where == UNMAPPED + TAIL:
            moves = regs[reg.RETURN] >= 0 and regs[reg.BACKING] >= 0
            regs[reg.STEP] = RESIZE if moves else LEAVE
        elif where == RESIZE:
            regs[reg.STEP] = LEAVE
            changes = _resize(state, regs)
            if changes < 0:
                regs[reg.RETURN] = changes
            else:
                return effect.CPU, work.VMA_CHANGE, changes
        elif where == UNMAPPED + OLD_PLACE:
            regs[reg.STEP] = LEAVE
            if _lock_moved(state, regs):
                return GO_ON, 0, 0
        elif where == RETURN:
            return effect.DONE, regs[reg.RETURN], 0
        else:
            regs[reg.STEP] = RETURN
            return effect.UP, lock.EXCLUSIVE, 0


@inner
def kept_pages(regs):
    """How many of its old pages the mapping keeps."""
    return min(regs[reg.END] - regs[reg.START], regs[reg.ARG])


@inner
def unmapped_by_mremap(regs, stage):
    """The range that `mremap` unmaps in a stage."""
    start = regs[reg.START]
    if stage == DESTINATION:
        return regs[reg.BACKING], regs[reg.BACKING] + regs[reg.ARG]
    if stage == TAIL:
        return start + regs[reg.ARG], regs[reg.END]
    return start, start + kept_pages(regs)


@inner
def _is_invalid(state, regs):
    """The tests of `do_mremap` and `mremap_to` for -EINVAL."""
    new_pages, new_start = regs[reg.ARG], regs[reg.BACKING]
    if new_pages == 0:
        return True
    if new_start < 0:
        return False
    overlaps = new_start < regs[reg.END] and regs[reg.START] < new_start + new_pages
    return overlaps or new_start + new_pages > state.pages.size


@inner
def _resize(state, regs):
    """Grow in place or begin to move; reg.STEP is set. Returns how many VMA changes, or the errno.

    Source: `vma_to_resize`, the rest of `do_mremap`, and `move_vma` up to `copy_vma`, 2.6.36.
    """
    vmas = state.vmas
    start, old, new = regs[reg.START], kept_pages(regs), regs[reg.ARG]
    row = find_vma(state, start)
    if not covers(state, row, start):
        return errno.EFAULT
    flags = vmas[row, vma.FLAGS]
    if flags & vm.HUGETLB:
        return errno.EINVAL
    if start + old > vmas[row, vma.END]:
        return errno.EFAULT
    if new > old and flags & (vm.DONTEXPAND | vm.PFNMAP):
        return errno.EFAULT
    if flags & vm.LOCKED and over_limit(state, new - old):
        return errno.EAGAIN
    if regs[reg.BACKING] < 0:
        if start + old == vmas[row, vma.END] and _has_room_behind(state, row, new - old):
            vmas[row, vma.END] += new - old
            state.mm[mm.TOTAL_VM] += new - old
            if flags & vm.LOCKED:
                state.mm[mm.LOCKED_VM] += lock_new_range(state, row, regs, start + old, start + new)
            return 1
        room = _find_room(state, new)
        if regs[reg.BACKING] == flag.MREMAP_IN_PLACE or room < 0:
            return errno.ENOMEM
        regs[reg.RETURN] = room
    if state.mm[mm.MAP_COUNT] >= state.mm[mm.MAX_MAP_COUNT] - SPARE_ROWS:
        return errno.ENOMEM
    state.mm[mm.TOTAL_VM] += new
    regs[reg.NEXT] = start
    regs[reg.STEP] = MOVE
    return _copy_vma(state, row, regs[reg.RETURN] - start, regs[reg.RETURN], new)


@inner
def _has_room_behind(state, row, pages):
    """Whether there is room behind a VMA for `pages` more. Source: `vma_expandable`, 2.6.36."""
    end = state.vmas[row, vma.END] + pages
    if row + 1 < state.mm[mm.MAP_COUNT] and state.vmas[row + 1, vma.START] < end:
        return False
    return end <= state.pages.size


@inner
def _find_room(state, pages):
    """The start of the lowest hole that has room for `pages`, or -1.

    It stands for `get_unmapped_area`, 2.6.36.
    """
    start = 0
    for row in range(state.mm[mm.MAP_COUNT]):
        if state.vmas[row, vma.START] - start >= pages:
            return start
        start = state.vmas[row, vma.END]
    return start if state.pages.size - start >= pages else -1


@inner
def _copy_vma(state, row, shift, start, pages):
    """Insert a copy of the VMA at `row` for [start, start + pages); returns how many VMA changes.

    The copy is merged with its neighbours if it fits them.

    Source: `copy_vma`, mm/mmap.c, 2.6.36.
    """
    vmas = state.vmas
    copy = find_vma(state, start)
    insert_row(state, copy)
    if copy <= row:
        row += 1
    for column in range(vma.SIZE):
        vmas[copy, column] = vmas[row, column]
    vmas[copy, vma.START] = start
    vmas[copy, vma.END] = start + pages
    vmas[copy, vma.READ_POSITION] += shift
    changes = 1
    flags = vmas[copy, vma.FLAGS]
    if fits(state, copy, copy + 1, flags):
        merge_with_next(state, copy)
        changes += 1
    if fits(state, copy, copy - 1, flags):
        merge_with_next(state, copy - 1)
        changes += 1
    return changes


@inner
def _move_pages(state, regs, run_class, run_limit):
    """Move the page at reg.NEXT to the new place, or a run of pages; returns how many.

    The page-table entry leaves the old place. What is known of a file page is known at both places,
    as the page cache has it. A page that is being read counts as not cached at the new place.

    Source: `move_page_tables`, mm/mremap.c, 2.6.36.
    """
    pages = state.pages
    first, shift = regs[reg.NEXT], regs[reg.RETURN] - regs[reg.START]
    most = run_limit if run_class == work.UNMAP_PAGE else 1
    count = min(regs[reg.START] + kept_pages(regs) - first, most)
    bits = MAPPED_BITS
    if state.vmas[find_vma(state, regs[reg.RETURN]), vma.BACKING] == backing.FILE:
        bits |= FILE_BITS
    for page in range(first, first + count):
        to = page + shift
        pages[to] = (pages[to] & (bit.ALL ^ bits)) | (pages[page] & bits)
        pages[page] &= bit.ALL ^ MAPPED_BITS
    regs[reg.NEXT] = first + count
    return count


@inner
def _lock_moved(state, regs):
    """Charge a moved mapping if it is VM_LOCKED; True if it grew, and is to be populated there.

    Source: the end of `move_vma`, 2.6.36.
    """
    new_start, old, new = regs[reg.RETURN], kept_pages(regs), regs[reg.ARG]
    row = find_vma(state, new_start)
    if not state.vmas[row, vma.FLAGS] & vm.LOCKED:
        return False
    state.mm[mm.LOCKED_VM] += new
    if new == old:
        return False
    lock_new_range(state, row, regs, new_start + old, new_start + new)
    return True
