"""VMAs: finding, splitting, merging, inserting and removing rows of `State.vmas`."""

from rfcsim._jit import inner
from rfcsim.model.layout import errno, mm, reg, vm, vma

SPECIAL = vm.DONTEXPAND | vm.RESERVED | vm.HUGETLB | vm.GATE  # populated, never VM_LOCKED
UNTOUCHABLE = vm.IO | vm.PFNMAP  # neither populated nor VM_LOCKED


@inner
def find_vma(state, page):
    """Row of the first VMA that ends after `page`; the map count if there is none.

    Source: `find_vma`, mm/mmap.c, 2.6.36.
    """
    low, high = 0, state.mm[mm.MAP_COUNT]
    while low < high:
        middle = (low + high) >> 1
        if state.vmas[middle, vma.END] > page:
            high = middle
        else:
            low = middle + 1
    return low


@inner
def intersects(state, row, start, end):
    """Whether `row` is a VMA that has a page of [start, end).

    With `row = find_vma(state, start)` this is `find_vma_intersection`, mm.h, 2.6.36.
    """
    return row < state.mm[mm.MAP_COUNT] and state.vmas[row, vma.START] < end


@inner
def covers(state, row, page):
    """Whether the VMA at `row`, which is `find_vma(state, page)`, covers the page."""
    return intersects(state, row, page, page + 1)


@inner
def walked_to(state, regs):
    """Where a walk over the VMAs of a range goes on; reg.NEXT is the end of the part before.

    That part may have merged with the VMA after it, which has then been dealt with.

    Source: the loops of `do_mlock` (mm/mlock.c) and `sys_mprotect` (mm/mprotect.c), 2.6.36.
    """
    page = regs[reg.NEXT]
    if page <= regs[reg.START] or page >= regs[reg.END]:
        return page
    return state.vmas[find_vma(state, page - 1), vma.END]


@inner
def insert_row(state, row):
    """Make room for a VMA at `row`; the caller fills its columns."""
    count = state.mm[mm.MAP_COUNT]
    for r in range(count, row, -1):
        for column in range(vma.SIZE):
            state.vmas[r, column] = state.vmas[r - 1, column]
    state.mm[mm.MAP_COUNT] = count + 1


@inner
def insert_vma(state, row, start, end, flags, backing, identity):
    """Insert a VMA at `row`, with the readahead state of a file that has just been opened."""
    insert_row(state, row)
    area = state.vmas[row]
    area[vma.START] = start
    area[vma.END] = end
    area[vma.FLAGS] = flags
    area[vma.BACKING] = backing
    area[vma.IDENTITY] = identity
    area[vma.READ_POSITION] = start - 1
    area[vma.READ_MISSES] = 0


@inner
def remove_rows(state, first, last):
    """Remove the VMAs at rows [first, last)."""
    count = state.mm[mm.MAP_COUNT]
    gone = last - first
    for r in range(last, count):
        for column in range(vma.SIZE):
            state.vmas[r - gone, column] = state.vmas[r, column]
    state.mm[mm.MAP_COUNT] = count - gone
    # Rows out of use are zero, so that equal address spaces are equal arrays.
    state.vmas[count - gone : count] = 0


@inner
def split(state, row, page):
    """Split the VMA at `row` in two at `page`; the map count is not tested.

    Source: `__split_vma`, mm/mmap.c, 2.6.36.
    """
    insert_row(state, row)
    for column in range(vma.SIZE):
        state.vmas[row, column] = state.vmas[row + 1, column]
    state.vmas[row, vma.END] = page
    state.vmas[row + 1, vma.START] = page


@inner
def map_count_reached(state):
    """Whether the kernel refuses one more VMA with -ENOMEM."""
    return state.mm[mm.MAP_COUNT] >= state.mm[mm.MAX_MAP_COUNT]


@inner
def fits(state, row, other, flags):
    """Whether the VMAs at `row` and `other` could be one, if `row` had `flags`.

    `row` and `other` are adjacent rows. Parts of two mappings never fit: see the rules.

    Source: `can_vma_merge_before` and `can_vma_merge_after`, mm/mmap.c, 2.6.36.
    """
    if other < 0 or other >= state.mm[mm.MAP_COUNT]:
        return False
    vmas = state.vmas
    low, high = min(row, other), max(row, other)
    return (
        vmas[low, vma.END] == vmas[high, vma.START]
        and vmas[other, vma.FLAGS] == flags
        and vmas[other, vma.BACKING] == vmas[row, vma.BACKING]
        and vmas[other, vma.IDENTITY] == vmas[row, vma.IDENTITY]
    )


@inner
def merge_with_next(state, row):
    """Let the VMA at `row` absorb the one after it."""
    state.vmas[row, vma.END] = state.vmas[row + 1, vma.END]
    remove_rows(state, row + 1, row + 2)


@inner
def change_flags(state, row, start, end, flags):
    """Give [start, end), which lies in the VMA at `row`, new flags: split, set, merge.

    Parameters
    ----------
    state : State
    row : int
        The VMA that covers the range.
    start, end : int
        Pages; the range is not empty.
    flags : int
        VM_* of the range afterwards; they differ from what they are now.

    Returns
    -------
    row : int
        The VMA that covers the range afterwards, or -ENOMEM if the map count is at its limit. The
        splits that were made before stay.
    changes : int
        How many splits and merges were made.

    Source: the middle of `mlock_fixup`, mm/mlock.c, 2.6.36: `vma_merge`, else `split_vma`.
    """
    vmas = state.vmas
    at_start = vmas[row, vma.START] == start
    at_end = vmas[row, vma.END] == end
    # vma_merge moves the boundary to a neighbour that fits. It adds no VMA, so there is no limit.
    moves_boundary = (at_start and fits(state, row, row - 1, flags)) or (
        at_end and fits(state, row, row + 1, flags)
    )
    changes = 0
    if not at_start:
        if not moves_boundary and map_count_reached(state):
            return errno.ENOMEM, changes
        split(state, row, start)
        row += 1
        changes += 1
    if not at_end:
        if not moves_boundary and map_count_reached(state):
            return errno.ENOMEM, changes
        split(state, row, end)
        changes += 1
    vmas[row, vma.FLAGS] = flags
    if fits(state, row, row + 1, flags):
        merge_with_next(state, row)
        changes += 1
    if fits(state, row, row - 1, flags):
        row -= 1
        merge_with_next(state, row)
        changes += 1
    return row, changes
