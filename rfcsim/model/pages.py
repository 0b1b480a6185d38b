"""Making pages present: anonymous memory, the zero page, the page cache and readahead."""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import backing, bit, effect, errno, mm, reg, vm, vma

FAILED = -1  # in place of an effect: the page cannot be made present; the errno follows

# Work classes come in fours, work.MLOCK_* and work.FAULT_*. Their order:
ANON = 0
ZERO = 1
FILE = 2
PRESENT = 3

NOT_TO_READ = bit.CACHED | bit.READING | bit.PAST_EOF

LOTS_OF_MISSES = 100  # MMAP_LOTSAMISS: read-around is switched off above it


@inner
def mapped_for(state, page, write):
    """Whether an access needs no fault: the page is present and, for a write, not shared."""
    bits = state.pages[page]
    return bits & bit.PRESENT != 0 and not (write and bits & (bit.ZERO | bit.COW) != 0)


@inner
def make_present(state, task, row, page, write, first_work):
    """Make one page of a VMA present, or say what has to happen first.

    Parameters
    ----------
    state : State
    task, row, page : int
        Who faults, the VMA that covers the page, and the page.
    write : bool
        Whether the access is a write.
    first_work : int
        The first of four work classes: anonymous page, zero page, file page, present already.

    Returns
    -------
    (int, int, int)
        `effect.CPU`: the page is present; this is the work that it took. `effect.SUBMIT` or
        `effect.WAIT_PAGE`: call again after it. `FAILED`: the errno follows.

    Source: `__get_user_pages` and `handle_mm_fault` (mm/memory.c), `filemap_fault`
    (mm/filemap.c), 2.6.36, without FAULT_FLAG_ALLOW_RETRY: the wait for the disk is under the lock.
    """
    vmas, pages = state.vmas, state.pages
    if vmas[row, vma.FLAGS] & (vm.WRITE if write else vm.READ) == 0:
        return FAILED, errno.EFAULT, 0
    if mapped_for(state, page, write):
        return effect.CPU, first_work + PRESENT, 1
    if vmas[row, vma.BACKING] != backing.FILE:
        if write:
            pages[page] = (pages[page] | bit.PRESENT) & (bit.ALL ^ (bit.ZERO | bit.COW))
            return effect.CPU, first_work + ANON, 1
        pages[page] |= bit.PRESENT | bit.ZERO
        return effect.CPU, first_work + ZERO, 1
    if pages[page] & bit.PAST_EOF:
        return FAILED, errno.EFAULT, 0
    if state.tasks[task, reg.LOOKED_UP] != page:
        state.tasks[task, reg.LOOKED_UP] = page
        first, count = _look_up(state, row, page)
        if count > 0:
            return effect.SUBMIT, first, count
    if pages[page] & bit.READING:
        return effect.WAIT_PAGE, page, 0
    pages[page] |= bit.PRESENT
    vmas[row, vma.READ_POSITION] = page
    state.tasks[task, reg.LOOKED_UP] = -1
    return effect.CPU, first_work + FILE, 1


@inner
def sure_work(state, row, page, write, first_work):
    """The work class with which `make_present` is sure to succeed at once, or -1 if it may not.

    This changes nothing, so a caller can look ahead before it makes a run of pages present.
    """
    bits = state.pages[page]
    if state.vmas[row, vma.FLAGS] & (vm.WRITE if write else vm.READ) == 0:
        return -1
    if mapped_for(state, page, write):
        return first_work + PRESENT
    if state.vmas[row, vma.BACKING] != backing.FILE:
        return first_work + (ANON if write else ZERO)
    if bits & (bit.CACHED | bit.MARKED | bit.PAST_EOF) == bit.CACHED:
        return first_work + FILE
    return -1


@inner
def _look_up(state, row, page):
    """Look a page up in the page cache.

    Returns the first page and the number of pages of the read to submit; no pages: no read.

    Source: `filemap_fault`, `do_sync_mmap_readahead`, `do_async_mmap_readahead` and
    `ondemand_readahead`, 2.6.36.
    """
    area, pages = state.vmas[row], state.pages
    window = state.mm[mm.READAHEAD_PAGES]
    random = area[vma.FLAGS] & vm.RAND_READ != 0
    if pages[page] & (bit.CACHED | bit.READING):
        if random:
            return 0, 0
        if area[vma.READ_MISSES] > 0:
            area[vma.READ_MISSES] -= 1
        if pages[page] & bit.MARKED == 0:
            return 0, 0
        pages[page] &= bit.ALL ^ bit.MARKED
        ahead = page + window
        return ahead, _start_read(state, row, ahead, window, ahead)
    if random:
        return page, _start_read(state, row, page, 1, -1)
    if area[vma.FLAGS] & vm.SEQ_READ or page - 1 == area[vma.READ_POSITION]:
        # This window would hit its own mark at once, so the next one is merged into it.
        return page, _start_read(state, row, page, 2 * window, page + window)
    area[vma.READ_MISSES] += 1
    if area[vma.READ_MISSES] > LOTS_OF_MISSES:
        return page, _start_read(state, row, page, 1, -1)
    around = max(area[vma.START], page - window // 2)
    first = page
    while first > around and pages[first - 1] & NOT_TO_READ == 0:
        first -= 1
    return first, _start_read(state, row, first, around + window - first, -1)


@inner
def _start_read(state, row, first, count, mark):
    """Set bit.READING on the pages of one read; returns how many are left when it is cut short."""
    pages = state.pages
    stop = min(first + count, state.vmas[row, vma.END])
    page = first
    while page < stop and pages[page] & NOT_TO_READ == 0:
        pages[page] |= bit.READING
        page += 1
    if first <= mark < page:
        pages[mark] |= bit.MARKED
    return page - first


@njit
def complete_read(state, first, count):
    """Put the pages that the disk has read into the page cache. No task makes this move."""
    for page in range(first, first + count):
        state.pages[page] = (state.pages[page] & (bit.ALL ^ bit.READING)) | bit.CACHED
