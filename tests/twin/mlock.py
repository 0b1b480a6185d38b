"""mlock() by both designs, and munlock() (rules 4; mm/mlock.c of 2.6.36, and the RFC's patch)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import errno, lock, vm, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import VISIT, Cpu, Done, Down, Effect, Up
from tests.twin.populate import populate_range
from tests.twin.walk import Fixup, change_flags, walk_range


def mlock(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    if not space.may_lock_at_all():
        yield Done(errno.EPERM)
        return
    yield Cpu(work.DRAIN_ALL, 1)
    yield Down(lock.EXCLUSIVE)
    if space.may_lock(pages):
        value = yield from do_mlock(space, start, start + pages, lock=True)
    else:
        value = errno.ENOMEM
    yield Up(lock.EXCLUSIVE)
    if value == 0 and space.batch_pages is not None:
        value = yield from do_mlock_pages(space, start, start + pages, space.batch_pages)
    yield Done(value)


def munlock(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    value = yield from do_mlock(space, start, start + pages, lock=False)
    yield Up(lock.EXCLUSIVE)
    yield Done(value)


def do_mlock(
    space: AddressSpace, start: int, end: int, *, lock: bool
) -> Generator[Effect, None, int]:
    """Set or clear VM_LOCKED on the range."""
    if start == end:
        return 0
    return (yield from walk_range(space, start, end, mlock_fixup(space, lock=lock)))


def mlock_fixup(space: AddressSpace, *, lock: bool) -> Fixup:
    """How to lock or unlock a part of one VMA."""
    under_this_hold = lock and space.batch_pages is None

    def fixup(vma: Vma, start: int, end: int) -> Generator[Effect, None, int]:
        if vma.locked == lock or vma.untouchable:
            yield VISIT
            return 0
        if vma.special:
            yield VISIT
            if under_this_hold:
                yield from populate_range(space, vma, start, end)  # an error ends it silently
            return 0
        error = yield from change_flags(space, vma, start, end, vma.flags ^ vm.LOCKED)
        if error:
            return error
        if under_this_hold:
            fixed = space.covering(start)
            assert fixed is not None
            first = behind_guard_page(space, fixed, start)
            return posix_error((yield from populate_range(space, fixed, first, end)))
        if not lock:
            yield from munlock_pages(space, start, end)
        return 0

    return fixup


def behind_guard_page(space: AddressSpace, vma: Vma, page: int) -> int:
    """Skip the lowest page of a stack, even of one split into VMAs: `stack_guard_page()`."""
    below = space.covering(page - 1)
    continued = below is not None and below.grows_down
    is_guard = vma.grows_down and vma.start == page and not continued and not vma.special
    return page + 1 if is_guard else page


def munlock_pages(space: AddressSpace, start: int, end: int) -> Iterator[Effect]:
    for page in range(start, end):
        space.pages[page].mlocked = False
        yield Cpu(work.MUNLOCK_PAGE, 1)


def do_mlock_pages(
    space: AddressSpace, start: int, end: int, batch_pages: int
) -> Generator[Effect, None, int]:
    """The RFC's second pass: a batch at a time, each under a shared hold of its own.

    Whoever ran between two batches may have changed the VMAs, so each batch looks again.
    """
    position = start
    while position < end:
        yield Down(lock.SHARED)
        stop = end
        error = 0
        vma = space.first_intersecting(position, end)
        if vma is not None:
            stop = min(end, vma.end)
            position = max(position, vma.start)
            if not vma.untouchable and (vma.special or vma.locked):
                stop = min(stop, position + batch_pages)
                first = behind_guard_page(space, vma, position)  # the stack may grow meanwhile
                yield VISIT
                error = yield from populate_range(space, vma, first, stop)
                if vma.special:
                    error = 0
        yield Up(lock.SHARED)
        if error:
            return posix_error(error)
        position = stop
    return 0


def posix_error(error: int) -> int:
    """`__mlock_posix_error_return()`."""
    return {errno.EFAULT: errno.ENOMEM, errno.ENOMEM: errno.EAGAIN}.get(error, error)
