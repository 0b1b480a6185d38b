"""Which file pages a fault reads (rules 3, *Readahead*; mm/filemap.c of 2.6.36).

A walk through a file first reads two windows and marks where the second begins. When the walk
reaches a mark, it submits the next window, so one is in flight while another is being mapped.
"""

from rfcsim.model.layout import vm
from tests.twin.address_space import AddressSpace, Page, Vma
from tests.twin.effects import Submit

LOTS_OF_MISSES = 100  # MMAP_LOTSAMISS


def readable(page: Page) -> bool:
    """Can it be read: is it neither here, nor on its way, nor past the end of the file?"""
    return not (page.cached or page.reading or page.past_eof)


def read(
    space: AddressSpace, vma: Vma, first: int, end: int, *, mark_at: int | None = None
) -> Submit:
    """Begin to read [first, end), and mark one page if the read gets that far.

    The read is cut short at the end of the VMA, and before the first page that cannot be read.
    """
    stop = first
    while stop < min(end, vma.end) and readable(space.pages[stop]):
        space.pages[stop].reading = True
        stop += 1
    if mark_at is not None and mark_at < stop:
        space.pages[mark_at].marked = True
    return Submit(first, stop - first)


def on_miss(space: AddressSpace, vma: Vma, page: int) -> Submit:
    """The page is not in the page cache: read it, and the pages that are to come along."""
    window = space.readahead_pages
    if vma.has(vm.RAND_READ):
        return read(space, vma, page, page + 1)
    if vma.has(vm.SEQ_READ) or page - 1 == vma.read_position:
        return read(space, vma, page, page + 2 * window, mark_at=page + window)
    vma.read_misses += 1
    if vma.read_misses > LOTS_OF_MISSES:
        return read(space, vma, page, page + 1)
    start = max(vma.start, page - window // 2)
    end = start + window
    first = page
    while first > start and readable(space.pages[first - 1]):
        first -= 1
    return read(space, vma, first, end)


def on_hit(space: AddressSpace, vma: Vma, page: int) -> Submit | None:
    """The page is there, or on its way: count the hit, and at a mark read the next window."""
    if vma.has(vm.RAND_READ):
        return None
    vma.read_misses = max(0, vma.read_misses - 1)
    if not space.pages[page].marked:
        return None
    space.pages[page].marked = False
    ahead = page + space.readahead_pages
    if ahead >= vma.end or not readable(space.pages[ahead]):
        return None
    return read(space, vma, ahead, ahead + space.readahead_pages, mark_at=ahead)
