"""mlock() by both designs, and munlock() (rules 4; mm/mlock.c of 2.6.36, and the RFC's patch)."""

from collections.abc import Generator, Iterator
from dataclasses import replace

from rfcsim.model.layout import (
    EAGAIN,
    EFAULT,
    ENOMEM,
    EPERM,
    EXCLUSIVE,
    SHARED,
    VM_LOCKED,
    WORK_DRAIN_ALL,
    WORK_MUNLOCK_PAGE,
    WORK_SYSCALL,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from tests.twin.address_space import AddressSpace, TooManyVmas, Vma
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.populate import Mark, populate

VISIT = Cpu(WORK_VMA_VISIT, 1)


def changes_made(changes: int) -> Cpu:
    """The work of so many splits, merges, insertions or removals of VMAs."""
    return Cpu(WORK_VMA_CHANGE, changes) if changes else VISIT


def mlock(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    yield Cpu(WORK_SYSCALL, 1)
    if space.lock_limit == 0 and not space.cap_ipc_lock:
        yield Done(EPERM)
        return
    yield Cpu(WORK_DRAIN_ALL, 1)
    yield Down(EXCLUSIVE)
    if space.may_lock(pages):
        value = yield from do_mlock(space, start, start + pages, lock=True)
    else:
        value = ENOMEM
    yield Up(EXCLUSIVE)
    if value == 0 and space.batch_pages is not None:
        value = yield from do_mlock_pages(space, start, start + pages, space.batch_pages)
    yield Done(value)


def munlock(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    yield Cpu(WORK_SYSCALL, 1)
    yield Down(EXCLUSIVE)
    value = yield from do_mlock(space, start, start + pages, lock=False)
    yield Up(EXCLUSIVE)
    yield Done(value)


def do_mlock(
    space: AddressSpace, start: int, end: int, *, lock: bool
) -> Generator[Effect, None, int]:
    """Set or clear VM_LOCKED on the range, VMA by VMA; a hole is found out when it is reached."""
    if start == end:
        return 0
    vma = space.covering(start)
    if vma is None:
        return ENOMEM
    yield VISIT
    position = start
    while True:
        part_end = min(end, vma.end)
        error = yield from mlock_fixup(space, vma, position, part_end, lock=lock)
        if error:
            return error
        fixed = space.covering(part_end - 1)  # it may have been split and merged
        assert fixed is not None
        position = fixed.end
        if position >= end:
            return 0
        vma = space.covering(position)
        if vma is None:
            return ENOMEM


def mlock_fixup(
    space: AddressSpace, vma: Vma, start: int, end: int, *, lock: bool
) -> Generator[Effect, None, int]:
    """Lock or unlock the part [start, end) of one VMA."""
    under_this_hold = lock and space.batch_pages is None
    if vma.locked == lock or vma.untouchable:
        yield VISIT
        return 0
    if vma.special:
        yield VISIT
        if under_this_hold:
            yield from populate_range(space, vma, start, end)  # an error ends it silently
        return 0

    changes = 0
    limited = not joins_a_neighbour(space, vma, start, end)
    try:
        changes += space.split(start, limited=limited)
        changes += space.split(end, limited=limited)
    except TooManyVmas:
        yield changes_made(changes)
        return ENOMEM
    part = space.covering(start)
    assert part is not None
    part.flags ^= VM_LOCKED
    space.locked_vm += part.pages if lock else -part.pages
    changes += space.merge(start)
    changes += space.merge(end)
    yield changes_made(changes)

    if under_this_hold:
        merged = space.covering(start)
        assert merged is not None
        return posix_error((yield from populate_range(space, merged, start, end)))
    if not lock:
        yield from munlock_pages(space, start, end)
    return 0


def joins_a_neighbour(space: AddressSpace, vma: Vma, start: int, end: int) -> bool:
    """Would vma_merge() just move the boundary to a neighbour, so that no VMA is added?"""
    toggled = replace(vma, flags=vma.flags ^ VM_LOCKED)
    before = space.covering(start - 1) if start == vma.start else None
    after = space.covering(end) if end == vma.end else None
    return (before is not None and toggled.continues(before)) or (
        after is not None and after.continues(toggled)
    )


def populate_range(
    space: AddressSpace, vma: Vma, start: int, end: int
) -> Generator[Effect, None, int]:
    """Make the pages present up to the first error: 0, or that error."""
    if vma.special:
        mark = Mark.NONE
    else:
        mark = Mark.ALL
        if is_guard_page(space, vma, start):
            start += 1
    for page in range(start, end):
        error = yield from populate(space, vma, page, mark)
        if error:
            return error
    return 0


def is_guard_page(space: AddressSpace, vma: Vma, page: int) -> bool:
    """`stack_guard_page()`: the lowest page of a stack, however many VMAs that is split into."""
    below = space.covering(page - 1)
    continued = below is not None and below.grows_down
    return vma.grows_down and vma.start == page and not continued


def munlock_pages(space: AddressSpace, start: int, end: int) -> Iterator[Effect]:
    for page in range(start, end):
        space.pages[page].mlocked = False
        yield Cpu(WORK_MUNLOCK_PAGE, 1)


def do_mlock_pages(
    space: AddressSpace, start: int, end: int, batch_pages: int
) -> Generator[Effect, None, int]:
    """The RFC's second pass: a batch at a time, each under a shared hold of its own.

    Whatever ran between two batches may have changed the VMAs, so each batch looks anew.
    """
    position = start
    while position < end:
        yield Down(SHARED)
        stop = end
        error = 0
        vma = space.first_intersecting(position, end)
        if vma is not None:
            stop = min(end, vma.end)
            position = max(position, vma.start)
            if not vma.untouchable and (vma.special or vma.locked):
                stop = min(stop, position + batch_pages)
                yield VISIT
                error = yield from populate_range(space, vma, position, stop)
                if vma.special:
                    error = 0
        yield Up(SHARED)
        if error:
            return posix_error(error)
        position = stop
    return 0


def posix_error(error: int) -> int:
    """`__mlock_posix_error_return()`."""
    return {EFAULT: ENOMEM, ENOMEM: EAGAIN}.get(error, error)
