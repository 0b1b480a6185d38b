"""Making pages present: anonymous memory, the zero page, the page cache and readahead."""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import (
    ALL_BITS,
    BACKING_FILE,
    EFAULT,
    EFFECT_CPU,
    EFFECT_SUBMIT,
    EFFECT_WAIT_PAGE,
    MM_READAHEAD_PAGES,
    PAGE_CACHED,
    PAGE_COW,
    PAGE_MARKED,
    PAGE_PAST_EOF,
    PAGE_PRESENT,
    PAGE_READING,
    PAGE_ZERO,
    REG_LOOKED_UP,
    VM_RAND_READ,
    VM_READ,
    VM_SEQ_READ,
    VM_WRITE,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_READ_MISSES,
    VMA_READ_POSITION,
    VMA_START,
)

FAILED = -1  # beside the effects: the page cannot be made present; the errno follows

# Work classes come in fours; which of the four:
ANON = 0
ZERO = 1
FILE = 2
PRESENT = 3

NOT_TO_READ = PAGE_CACHED | PAGE_READING | PAGE_PAST_EOF

LOTS_OF_MISSES = 100  # MMAP_LOTSAMISS: read-around is switched off above it


@inner
def mapped_for(state, page, write):
    """Whether an access needs no fault: a present page, and its own if the access is a write."""
    bits = state.pages[page]
    return bits & PAGE_PRESENT != 0 and not (write and bits & (PAGE_ZERO | PAGE_COW) != 0)


@inner
def make_present(state, task, row, page, write, work):
    """Make one page of a VMA present, or say what has to happen first.

    Parameters
    ----------
    state : State
    task, row, page : int
        Who faults, the VMA that covers the page, and the page.
    write : bool
        Whether the access is a write.
    work : int
        The first of four work classes: anonymous page, zero page, file page, present already.

    Returns
    -------
    (int, int, int)
        `EFFECT_CPU`: done, with the work that it took. `EFFECT_SUBMIT` or `EFFECT_WAIT_PAGE`:
        call again afterwards. `FAILED`: the errno.

    Source: `__get_user_pages` and `handle_mm_fault` (mm/memory.c), `filemap_fault`
    (mm/filemap.c), 2.6.36, without FAULT_FLAG_ALLOW_RETRY: the disk is waited for under the lock.
    """
    vmas, pages = state.vmas, state.pages
    if vmas[row, VMA_FLAGS] & (VM_WRITE if write else VM_READ) == 0:
        return FAILED, EFAULT, 0
    if mapped_for(state, page, write):
        return EFFECT_CPU, work + PRESENT, 1
    if vmas[row, VMA_BACKING] != BACKING_FILE:
        if write:
            pages[page] = (pages[page] | PAGE_PRESENT) & (ALL_BITS ^ (PAGE_ZERO | PAGE_COW))
            return EFFECT_CPU, work + ANON, 1
        pages[page] |= PAGE_PRESENT | PAGE_ZERO
        return EFFECT_CPU, work + ZERO, 1
    if pages[page] & PAGE_PAST_EOF:
        return FAILED, EFAULT, 0
    if state.tasks[task, REG_LOOKED_UP] != page:
        state.tasks[task, REG_LOOKED_UP] = page
        first, count = _look_up(state, row, page)
        if count > 0:
            return EFFECT_SUBMIT, first, count
    if pages[page] & PAGE_READING:
        return EFFECT_WAIT_PAGE, page, 0
    pages[page] |= PAGE_PRESENT
    vmas[row, VMA_READ_POSITION] = page
    state.tasks[task, REG_LOOKED_UP] = -1
    return EFFECT_CPU, work + FILE, 1


@inner
def sure_work(state, row, page, write, work):
    """The work class with which `make_present` is sure to succeed at once, or -1: not sure.

    Changes nothing, so that a caller can look ahead before it makes a run of pages present.
    """
    bits = state.pages[page]
    if state.vmas[row, VMA_FLAGS] & (VM_WRITE if write else VM_READ) == 0:
        return -1
    if mapped_for(state, page, write):
        return work + PRESENT
    if state.vmas[row, VMA_BACKING] != BACKING_FILE:
        return work + (ANON if write else ZERO)
    if bits & (PAGE_CACHED | PAGE_MARKED | PAGE_PAST_EOF) == PAGE_CACHED:
        return work + FILE
    return -1


@inner
def _look_up(state, row, page):
    """Look a page up in the page cache; (first page, pages) of the read to submit, or (0, 0).

    Source: `filemap_fault`, `do_sync_mmap_readahead`, `do_async_mmap_readahead` and
    `ondemand_readahead`, 2.6.36.
    """
    vma, pages = state.vmas[row], state.pages
    window = state.mm[MM_READAHEAD_PAGES]
    random = vma[VMA_FLAGS] & VM_RAND_READ != 0
    if pages[page] & (PAGE_CACHED | PAGE_READING):
        if random:
            return 0, 0
        if vma[VMA_READ_MISSES] > 0:
            vma[VMA_READ_MISSES] -= 1
        if pages[page] & PAGE_MARKED == 0:
            return 0, 0
        pages[page] &= ALL_BITS ^ PAGE_MARKED
        ahead = page + window
        return ahead, _start_read(state, row, ahead, window, ahead)
    if random:
        return page, _start_read(state, row, page, 1, -1)
    if vma[VMA_FLAGS] & VM_SEQ_READ or page - 1 == vma[VMA_READ_POSITION]:
        # This window would hit its own mark at once, so the next one is merged into it.
        return page, _start_read(state, row, page, 2 * window, page + window)
    vma[VMA_READ_MISSES] += 1
    if vma[VMA_READ_MISSES] > LOTS_OF_MISSES:
        return page, _start_read(state, row, page, 1, -1)
    around = max(vma[VMA_START], page - window // 2)
    first = page
    while first > around and pages[first - 1] & NOT_TO_READ == 0:
        first -= 1
    return first, _start_read(state, row, first, around + window - first, -1)


@inner
def _start_read(state, row, first, count, mark):
    """Set PAGE_READING on the pages of one read; how many there are after cutting it short."""
    pages = state.pages
    stop = min(first + count, state.vmas[row, VMA_END])
    page = first
    while page < stop and pages[page] & NOT_TO_READ == 0:
        pages[page] |= PAGE_READING
        page += 1
    if first <= mark < page:
        pages[mark] |= PAGE_MARKED
    return page - first


@njit
def complete_read(state, first, count):
    """The disk has delivered: the pages are in the page cache. The world's move, not a task's."""
    for page in range(first, first + count):
        state.pages[page] = (state.pages[page] & (ALL_BITS ^ PAGE_READING)) | PAGE_CACHED
