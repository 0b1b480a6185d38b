"""Those who meet mlock() on `mmap_sem`: a user access, a reader of maps, a hold (rules 4)."""

from collections.abc import Iterator

from rfcsim.model.layout import errno, lock, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.populate import FAULT, Mark, make_present


def touch(space: AddressSpace, page: int, writing: bool) -> Iterator[Effect]:
    """A user access, and do_page_fault() unless the page-table entry allows the access."""
    if entry_allows(space, page, writing):
        yield Cpu(work.TOUCH, 1)
        yield Done(0)
        return
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.SHARED)
    vma = vma_to_fault_in(space, page, writing)
    if vma is None:
        value = errno.EFAULT  # SIGSEGV
    else:
        mark = Mark.NEW_ANONYMOUS if vma.locked else Mark.NONE
        value = yield from make_present(space, vma, page, writing, FAULT, mark)
    yield Up(lock.SHARED)
    yield Done(value)


def entry_allows(space: AddressSpace, page: int, writing: bool) -> bool:
    """Is there an entry that lets the access pass?

    It has the permissions of its VMA. munmap() removes the VMA first and its entries afterwards.
    """
    entry = space.pages[page]
    vma = space.covering(page)
    permitted = vma is None or vma.allows(writing)
    return permitted and entry.serves(writing)


def vma_to_fault_in(space: AddressSpace, page: int, writing: bool) -> Vma | None:
    """The VMA that covers the page, if it may be used. A stack grows down to the page first."""
    vma = space.first_ending_after(page)
    if vma is None:
        return None
    growth = vma.start - page
    if growth > 0:  # expand_stack(), under the shared hold
        if not vma.grows_down or (vma.locked and not space.may_lock(growth)):
            return None
        vma.start = page
        space.total_vm += growth
        space.locked_vm += growth if vma.locked else 0
    return vma if vma.allows(writing) and not vma.untouchable else None


def read_maps(space: AddressSpace) -> Iterator[Effect]:
    """/proc/PID/maps: one hold for the whole listing."""
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.SHARED)
    listed = space.map_count
    yield Cpu(work.MAPS_VMA, listed)
    yield Up(lock.SHARED)
    yield Done(listed)


def hold(mode: int, ns: int) -> Iterator[Effect]:
    """A taker of `mmap_sem` that has no model of its own."""
    yield Cpu(work.SYSCALL, 1)
    yield Down(mode)
    yield Cpu(work.NS, ns)
    yield Up(mode)
    yield Done(0)
