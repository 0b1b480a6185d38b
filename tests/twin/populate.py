"""Making pages present: for mlock() and its kin, and for a user access (rules 3, *populate*)."""

from collections.abc import Generator
from enum import Enum, auto
from typing import NamedTuple

from rfcsim.model.layout import backing, errno, vm, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import Cpu, Effect, WaitPage
from tests.twin.readahead import on_hit, on_miss


class Works(NamedTuple):
    """The class of work for each kind of page."""

    present: int
    anonymous: int
    zero: int
    file: int


MLOCK = Works(work.MLOCK_PRESENT, work.MLOCK_ANON, work.MLOCK_ZERO, work.MLOCK_FILE)
FAULT = Works(work.TOUCH, work.FAULT_ANON, work.FAULT_ZERO, work.FAULT_FILE)


class Mark(Enum):
    """Which pages get PG_mlocked; the zero page, which has no mapping, never does."""

    NONE = auto()
    NEW_ANONYMOUS = auto()  # is_mlocked_vma()
    ALL = auto()


def populate(space: AddressSpace, vma: Vma, page: int, mark: Mark) -> Generator[Effect, None, int]:
    """mlock() makes a page present, writing if the VMA may be written: 0, or an errno."""
    writing = vma.has(vm.WRITE)
    if not vma.allows(writing):
        return errno.EFAULT
    if space.current in space.killed:
        return errno.ERESTARTSYS
    return (yield from make_present(space, vma, page, writing, MLOCK, mark))


def populate_range(
    space: AddressSpace, vma: Vma, start: int, end: int
) -> Generator[Effect, None, int]:
    """Make the pages of a VMA present up to the first error: 0, or that error.

    Only what is VM_LOCKED gets marks; a special VMA never is.
    """
    mark = Mark.ALL if vma.locked else Mark.NONE
    for page in range(start, end):
        error = yield from populate(space, vma, page, mark)
        if error:
            return error
    return 0


def make_present(
    space: AddressSpace, vma: Vma, page: int, writing: bool, works: Works, mark: Mark
) -> Generator[Effect, None, int]:
    """Give the page an entry in the page table, reading it from the disk if need be.

    The lock is held throughout, also while waiting for the disk. An error has no effect of its
    own: the caller goes on within the same step. The page is looked up in the page cache once:
    what the fault itself read, or waited for, is neither a hit nor a miss when it comes.
    """
    entry = space.pages[page]
    looked_up = False
    while True:
        new_anonymous = False
        if entry.serves(writing):
            work = works.present
        elif vma.backing == backing.FILE and entry.past_eof:
            return errno.EFAULT  # SIGBUS
        elif vma.backing != backing.FILE:
            new_anonymous = writing
            entry.present = True
            entry.zero = not writing
            entry.cow = False
            work = works.anonymous if writing else works.zero
        elif not (entry.cached or entry.reading):
            looked_up = True
            yield on_miss(space, vma, page)
            continue
        else:
            next_window = None if looked_up else on_hit(space, vma, page)
            looked_up = True
            if next_window:
                yield next_window
            if entry.reading:
                yield WaitPage(page)
                continue
            entry.present = True
            vma.read_position = page
            work = works.file
        wanted = mark is Mark.ALL or (mark is Mark.NEW_ANONYMOUS and new_anonymous)
        if wanted and not entry.zero:
            entry.mlocked = True
        yield Cpu(work, 1)
        return 0
