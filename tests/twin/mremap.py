"""mremap(): shrink, grow in place, or move (rules 4; mm/mremap.c of 2.6.36)."""

from collections.abc import Generator, Iterator
from dataclasses import replace

from rfcsim.model.layout import backing, errno, lock, vm, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.populate import populate_range
from tests.twin.unmap import unmap


def mremap(
    space: AddressSpace, start: int, old: int, new: int, to: int | None, *, may_move: bool
) -> Iterator[Effect]:
    """Make `old` pages `new` ones: at page `to` (MREMAP_FIXED), or here, or where there is room."""
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    if new == 0:
        value = errno.EINVAL
    elif to is None:
        value = yield from do_mremap(space, start, old, new, may_move)
    else:
        value = yield from mremap_to(space, start, old, new, to)
    yield Up(lock.EXCLUSIVE)
    yield Done(value)


def do_mremap(
    space: AddressSpace, start: int, old: int, new: int, may_move: bool
) -> Generator[Effect, None, int]:
    """No new place is given: moving is the last resort."""
    if new < old:
        error = yield from unmap(space, start + new, start + old)
        return error or start
    if new == old:
        return start
    error = refusal(space, start, old, new)
    if error:
        return error
    vma = space.covering(start)
    assert vma is not None
    if start + old == vma.end and is_free(space, vma.end, start + new):
        yield from grow_in_place(space, vma, new - old)
        return start
    to = lowest_hole(space, new) if may_move else None
    if to is None:
        return errno.ENOMEM
    return (yield from move_vma(space, vma, start, old, new, to))


def mremap_to(
    space: AddressSpace, start: int, old: int, new: int, to: int
) -> Generator[Effect, None, int]:
    """MREMAP_FIXED: what is at the new place has to go first, whatever comes of the move."""
    overlaps = to < start + old and start < to + new
    if overlaps or to + new > len(space.pages):
        return errno.EINVAL
    error = yield from unmap(space, to, to + new)
    if new < old and not error:
        error = yield from unmap(space, start + new, start + old)
        old = new
    error = error or refusal(space, start, old, new)
    if error:
        return error
    vma = space.covering(start)
    assert vma is not None
    return (yield from move_vma(space, vma, start, old, new, to))


def refusal(space: AddressSpace, start: int, old: int, new: int) -> int:
    """`vma_to_resize()`: may [start, start + old) become `new` pages? 0, or an errno."""
    vma = space.covering(start)
    if vma is None:
        return errno.EFAULT
    if vma.has(vm.HUGETLB):
        return errno.EINVAL
    if start + old > vma.end:
        return errno.EFAULT
    if new > old and vma.has(vm.DONTEXPAND | vm.PFNMAP):
        return errno.EFAULT
    if vma.locked and not space.may_lock(new - old):
        return errno.EAGAIN
    return 0


def is_free(space: AddressSpace, start: int, end: int) -> bool:
    return end <= len(space.pages) and not space.all_intersecting(start, end)


def lowest_hole(space: AddressSpace, pages: int) -> int | None:
    """Where the lowest hole that has room for this many pages begins."""
    candidates = [0, *(vma.end for vma in space.vmas)]
    return next((page for page in candidates if is_free(space, page, page + pages)), None)


def grow_in_place(space: AddressSpace, vma: Vma, growth: int) -> Generator[Effect, None, None]:
    old_end = vma.end
    vma.end += growth
    space.total_vm += growth
    space.locked_vm += growth if vma.locked else 0
    yield Cpu(work.VMA_CHANGE, 1)
    if vma.locked:
        yield from populate_range(space, vma, old_end, vma.end)  # errors are hidden


def move_vma(
    space: AddressSpace, vma: Vma, start: int, old: int, new: int, to: int
) -> Generator[Effect, None, int]:
    """Copy the mapping to its new place, carry the pages over, and unmap what is left."""
    if space.map_count >= space.max_map_count - 3:
        return errno.ENOMEM
    is_locked, is_file = vma.locked, vma.backing == backing.FILE
    read_position = vma.read_position + to - start
    space.add(replace(vma, start=to, end=to + new, read_position=read_position))
    merges = space.merge(to + new) + space.merge(to)
    yield Cpu(work.VMA_CHANGE, 1 + merges)

    for number in range(old):
        move_page(space, start + number, to + number, is_file)
        yield Cpu(work.UNMAP_PAGE, 1)
    yield from unmap(space, start, start + old, clear_entries=False)  # they have moved

    if is_locked:
        space.locked_vm += new
        moved = space.covering(to)
        assert moved is not None
        yield from populate_range(space, moved, to + old, to + new)  # the growth alone
    return to


def move_page(space: AddressSpace, source: int, target: int, is_file: bool) -> None:
    """Carry an entry over. The page cache stays, and is at the new place too.

    A page that is being read counts as absent there: the read will arrive at the old place.
    """
    old, new = space.pages[source], space.pages[target]
    new.present, new.mlocked, new.zero, new.cow = old.present, old.mlocked, old.zero, old.cow
    old.clear_entry()
    if is_file:
        new.cached, new.marked, new.past_eof = old.cached, old.marked, old.past_eof
