"""`mremap`: shrink, grow in place, move."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import (
    ALL_BITS,
    BACKING_FILE,
    EAGAIN,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EINVAL,
    ENOMEM,
    EXCLUSIVE,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_TOTAL_VM,
    MREMAP_IN_PLACE,
    PAGE_CACHED,
    PAGE_MARKED,
    PAGE_PAST_EOF,
    REG_ARG,
    REG_BACKING,
    REG_END,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    VM_DONTEXPAND,
    VM_HUGETLB,
    VM_LOCKED,
    VM_PFNMAP,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_READ_POSITION,
    VMA_SIZE,
    VMA_START,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
)
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

FILE_BITS = PAGE_CACHED | PAGE_MARKED | PAGE_PAST_EOF  # what a moved mapping knows of its file
SPARE_ROWS = 3  # move_vma keeps away from max_map_count: unmapping may split one VMA into three

# Where in the call a task is (REG_STEP), beside the shared stretches.
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

    REG_ARG is the new number of pages. REG_BACKING is the page of MREMAP_FIXED, or MREMAP_MAYMOVE
    or MREMAP_IN_PLACE. All happens under one exclusive hold. What moves keeps its flags,
    VM_LOCKED among them, its pages and its identity; only pages by which it grows are
    populated. Until the end REG_RETURN is where it moves to. See
    :func:`rfcsim.model.step.step` for parameters and result.

    Source: `do_mremap`, `mremap_to`, `vma_to_resize` and `move_vma`, mm/mremap.c, 2.6.36.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == MOVE:
            count = _move_pages(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_UNMAP_PAGE, count
            return begin_unmapping(regs, OLD_PLACE)
        if where == ENTER:
            regs[REG_STEP] = LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        if where == LOCK:
            regs[REG_STEP] = CHECK
            return EFFECT_DOWN, EXCLUSIVE, 0
        if where == CHECK:
            regs[REG_STEP] = LEAVE
            if _is_invalid(state, regs):
                regs[REG_RETURN] = EINVAL
            elif regs[REG_BACKING] >= 0:
                regs[REG_RETURN] = regs[REG_BACKING]
                return begin_unmapping(regs, DESTINATION)
            else:
                regs[REG_RETURN] = regs[REG_START]
                if regs[REG_ARG] <= regs[REG_END] - regs[REG_START]:
                    return begin_unmapping(regs, TAIL)
                regs[REG_STEP] = RESIZE
        elif where == UNMAPPED + DESTINATION:
            if regs[REG_RETURN] >= 0:
                return begin_unmapping(regs, TAIL)
            regs[REG_STEP] = LEAVE
        elif where == UNMAPPED + TAIL:
            moves = regs[REG_RETURN] >= 0 and regs[REG_BACKING] >= 0
            regs[REG_STEP] = RESIZE if moves else LEAVE
        elif where == RESIZE:
            regs[REG_STEP] = LEAVE
            changes = _resize(state, regs)
            if changes < 0:
                regs[REG_RETURN] = changes
            else:
                return EFFECT_CPU, WORK_VMA_CHANGE, changes
        elif where == UNMAPPED + OLD_PLACE:
            regs[REG_STEP] = LEAVE
            if _lock_moved(state, regs):
                return GO_ON, 0, 0
        elif where == RETURN:
            return EFFECT_DONE, regs[REG_RETURN], 0
        else:
            regs[REG_STEP] = RETURN
            return EFFECT_UP, EXCLUSIVE, 0


@inner
def kept_pages(regs):
    """How many of the old pages the mapping keeps."""
    return min(regs[REG_END] - regs[REG_START], regs[REG_ARG])


@inner
def unmapped_by_mremap(regs, stage):
    """The range that `mremap` unmaps in a stage."""
    start = regs[REG_START]
    if stage == DESTINATION:
        return regs[REG_BACKING], regs[REG_BACKING] + regs[REG_ARG]
    if stage == TAIL:
        return start + regs[REG_ARG], regs[REG_END]
    return start, start + kept_pages(regs)


@inner
def _is_invalid(state, regs):
    """The tests of `do_mremap` and `mremap_to` for -EINVAL."""
    new_pages, new_start = regs[REG_ARG], regs[REG_BACKING]
    if new_pages == 0:
        return True
    if new_start < 0:
        return False
    overlaps = new_start < regs[REG_END] and regs[REG_START] < new_start + new_pages
    return overlaps or new_start + new_pages > state.pages.size


@inner
def _resize(state, regs):
    """Grow in place or begin to move; VMA changes made, or the errno. REG_STEP is set.

    Source: `vma_to_resize`, the rest of `do_mremap`, and `move_vma` up to `copy_vma`, 2.6.36.
    """
    vmas, mm = state.vmas, state.mm
    start, old, new = regs[REG_START], kept_pages(regs), regs[REG_ARG]
    row = find_vma(state, start)
    if not covers(state, row, start):
        return EFAULT
    flags = vmas[row, VMA_FLAGS]
    if flags & VM_HUGETLB:
        return EINVAL
    if start + old > vmas[row, VMA_END]:
        return EFAULT
    if new > old and flags & (VM_DONTEXPAND | VM_PFNMAP):
        return EFAULT
    if flags & VM_LOCKED and over_limit(state, new - old):
        return EAGAIN
    if regs[REG_BACKING] < 0:
        if start + old == vmas[row, VMA_END] and _has_room_behind(state, row, new - old):
            vmas[row, VMA_END] += new - old
            mm[MM_TOTAL_VM] += new - old
            if flags & VM_LOCKED:
                mm[MM_LOCKED_VM] += lock_new_range(state, row, regs, start + old, start + new)
            return 1
        room = _find_room(state, new)
        if regs[REG_BACKING] == MREMAP_IN_PLACE or room < 0:
            return ENOMEM
        regs[REG_RETURN] = room
    if mm[MM_MAP_COUNT] >= mm[MM_MAX_MAP_COUNT] - SPARE_ROWS:
        return ENOMEM
    mm[MM_TOTAL_VM] += new
    regs[REG_NEXT] = start
    regs[REG_STEP] = MOVE
    return _copy_vma(state, row, regs[REG_RETURN] - start, regs[REG_RETURN], new)


@inner
def _has_room_behind(state, row, pages):
    """Whether a VMA may grow by so many pages. Source: `vma_expandable`, 2.6.36."""
    end = state.vmas[row, VMA_END] + pages
    if row + 1 < state.mm[MM_MAP_COUNT] and state.vmas[row + 1, VMA_START] < end:
        return False
    return end <= state.pages.size


@inner
def _find_room(state, pages):
    """The lowest hole of so many pages, or -1. Stands for `get_unmapped_area`, 2.6.36."""
    start = 0
    for row in range(state.mm[MM_MAP_COUNT]):
        if state.vmas[row, VMA_START] - start >= pages:
            return start
        start = state.vmas[row, VMA_END]
    return start if state.pages.size - start >= pages else -1


@inner
def _copy_vma(state, row, shift, start, pages):
    """Insert a copy of the VMA at `row` for [start, start + pages), merged with what it fits.

    Source: `copy_vma`, mm/mmap.c, 2.6.36.
    """
    vmas = state.vmas
    copy = find_vma(state, start)
    insert_row(state, copy)
    if copy <= row:
        row += 1
    for column in range(VMA_SIZE):
        vmas[copy, column] = vmas[row, column]
    vmas[copy, VMA_START] = start
    vmas[copy, VMA_END] = start + pages
    vmas[copy, VMA_READ_POSITION] += shift
    changes = 1
    flags = vmas[copy, VMA_FLAGS]
    if fits(state, copy, copy + 1, flags):
        merge_with_next(state, copy)
        changes += 1
    if fits(state, copy, copy - 1, flags):
        merge_with_next(state, copy - 1)
        changes += 1
    return changes


@inner
def _move_pages(state, regs, run_class, run_limit):
    """Move pages from REG_NEXT on to the new place; how many, one or a run.

    A page-table entry leaves its old place. What is known of a file page goes along, while the
    old place keeps it too, as the page cache does. A page that is being read counts as not
    cached at the new place. Source: `move_page_tables`, mm/mremap.c, 2.6.36.
    """
    pages = state.pages
    first, shift = regs[REG_NEXT], regs[REG_RETURN] - regs[REG_START]
    most = run_limit if run_class == WORK_UNMAP_PAGE else 1
    count = min(regs[REG_START] + kept_pages(regs) - first, most)
    bits = MAPPED_BITS
    if state.vmas[find_vma(state, regs[REG_RETURN]), VMA_BACKING] == BACKING_FILE:
        bits |= FILE_BITS
    for page in range(first, first + count):
        to = page + shift
        pages[to] = (pages[to] & (ALL_BITS ^ bits)) | (pages[page] & bits)
        pages[page] &= ALL_BITS ^ MAPPED_BITS
    regs[REG_NEXT] = first + count
    return count


@inner
def _lock_moved(state, regs):
    """Charge a VM_LOCKED mapping at its new place and populate what it grew by; False if not.

    Source: the end of `move_vma`, 2.6.36.
    """
    new_start, old, new = regs[REG_RETURN], kept_pages(regs), regs[REG_ARG]
    row = find_vma(state, new_start)
    if not state.vmas[row, VMA_FLAGS] & VM_LOCKED:
        return False
    state.mm[MM_LOCKED_VM] += new
    if new == old:
        return False
    lock_new_range(state, row, regs, new_start + old, new_start + new)
    return True
