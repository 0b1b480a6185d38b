"""ftruncate() of the file behind a range (rules 4; mm/truncate.c of 2.6.36)."""

from collections.abc import Iterator

from rfcsim.model.layout import backing, work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import VISIT, Cpu, Done, Effect, WaitPage


def truncate(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    """End the file before the range. This does not take `mmap_sem`."""
    affected = range(start, start + pages)
    yield Cpu(work.SYSCALL, 1)
    for page in affected:
        space.pages[page].past_eof = True
    yield VISIT
    for page in affected:
        entry = space.pages[page]
        while entry.reading:
            yield WaitPage(page)
        entry.cached = entry.marked = False
        vma = space.covering(page)
        if vma is None or vma.backing != backing.ANON:
            entry.present = entry.mlocked = False
        yield Cpu(work.UNMAP_PAGE, 1)
    yield Done(0)
