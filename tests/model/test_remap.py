"""`remap_file_pages`: what it holds in each kernel, and what others can see meanwhile."""

import pytest

from rfcsim.model.layout import backing, bit, call, effect, errno, flag, lock, mm, vm, vma, work
from rfcsim.model.layout import design as designs
from tests.model.walk import (
    READ_WRITE,
    address_space,
    at_release,
    layout,
    mlocked,
    moves,
    present,
    value_of,
)

NONLINEAR = READ_WRITE | vm.NONLINEAR
BEFORE_3_9 = ("downgrade", "exclusive", "batched", "contended", "fault-retry")
SINCE_3_9 = ("mm-populate", "vma-lock")


def space(*vmas, design="exclusive"):
    """Mappings of files that are in the page cache, unless a VMA says otherwise."""
    state = address_space(*((*vma, backing.FILE) if len(vma) == 3 else vma for vma in vmas))
    state.mm[mm.DESIGN] = designs.BY_NAME[design]
    state.pages[:] = bit.CACHED
    for start, end, flags, *_ in vmas:
        if flags & vm.LOCKED:
            state.pages[start:end] |= bit.PRESENT | bit.MLOCKED
    return state


def effects(state, start, pages, arg=0):
    return list(moves(state, 0, call.REMAP_FILE_PAGES, start, pages, arg))


def flags(state, row=0):
    return int(state.vmas[row, vma.FLAGS])


def lock_operations(asked):
    """X and S to take the lock, x and s to release it, d to downgrade."""
    names = {(effect.DOWN, lock.EXCLUSIVE): "X", (effect.DOWN, lock.SHARED): "S"}
    names |= {(effect.UP, lock.EXCLUSIVE): "x", (effect.UP, lock.SHARED): "s"}
    names |= {(effect.DOWNGRADE, lock.SHARED): "d"}
    return "".join(names.get((kind, a), "") for kind, a, _ in asked)


@pytest.mark.parametrize("design", BEFORE_3_9)
@pytest.mark.parametrize(
    ("before", "arg", "expected"),
    [
        (READ_WRITE, 0, "SsXds"),  # the first call converts, then populates under a shared hold
        (READ_WRITE, flag.MAP_NONBLOCK, "SsXx"),
        (NONLINEAR, 0, "Ss"),
        (NONLINEAR, flag.MAP_NONBLOCK, "Ss"),
        (READ_WRITE | vm.LOCKED, 0, "SsXx"),  # populates in the mode in which it holds the lock
        (NONLINEAR | vm.LOCKED, 0, "Ss"),
    ],
)
def test_the_holds_up_to_3_8(design, before, arg, expected):
    state = space((0, 8, before), design=design)
    asked = effects(state, 2, 3, arg)
    assert lock_operations(asked) == expected and asked[-1] == (effect.DONE, 0, 0)
    assert flags(state) == before | vm.NONLINEAR


@pytest.mark.parametrize("design", SINCE_3_9)
@pytest.mark.parametrize(
    ("before", "arg", "expected"),
    [
        (READ_WRITE, 0, "SsXxSs"),  # populates after the hold
        (READ_WRITE, flag.MAP_NONBLOCK, "SsXx"),
        (NONLINEAR, 0, "SsSs"),
        (NONLINEAR, flag.MAP_NONBLOCK, "Ss"),
        (NONLINEAR | vm.LOCKED, 0, "SsXxSs"),  # flags are changed under the exclusive lock only
        (NONLINEAR | vm.LOCKED, flag.MAP_NONBLOCK, "SsXxSs"),  # locked: populated in any case
    ],
)
def test_the_holds_from_3_9_on(design, before, arg, expected):
    state = space((0, 8, before), design=design)
    asked = effects(state, 2, 3, arg)
    assert lock_operations(asked) == expected and asked[-1] == (effect.DONE, 0, 0)
    locked = before & vm.LOCKED != 0
    assert present(state) == (list(range(8)) if locked else [] if arg else [2, 3, 4])


def test_every_step_of_a_remap_of_locked_memory():
    state = space((0, 4, NONLINEAR | vm.LOCKED))
    seen = [
        (a, flags(state) & vm.LOCKED != 0)
        for kind, a, _ in moves(state, 0, call.REMAP_FILE_PAGES, 1, 2)
        if kind == effect.CPU
    ]
    assert seen == [
        (work.SYSCALL, True),
        (work.VMA_VISIT, False),
        (work.MUNLOCK_PAGE, False),
        (work.MUNLOCK_PAGE, False),
        (work.UNMAP_PAGE, True),  # VM_LOCKED is back when the first entry goes
        (work.UNMAP_PAGE, True),
        (work.MLOCK_FILE, True),
        (work.MLOCK_FILE, True),
    ]
    assert present(state) == [0, 1, 2, 3] == mlocked(state) and state.mm[mm.LOCKED_VM] == 4


def test_pages_lose_their_entries_and_the_page_cache_stays():
    state = space((0, 4, READ_WRITE))
    state.pages[:4] |= bit.PRESENT
    asked = effects(state, 0, 3, flag.MAP_NONBLOCK)
    assert [a for kind, a, _ in asked if kind == effect.CPU] == [
        work.SYSCALL, work.VMA_CHANGE, *[work.UNMAP_PAGE] * 3,
    ]  # fmt: skip
    assert present(state) == [3] and (state.pages[:4] & bit.CACHED).all()
    assert layout(state) == [(0, 4, False)], "no VMA is split"


def test_only_a_kernel_from_3_9_on_populates_locked_memory_that_it_is_told_not_to_block_for():
    state = space((0, 4, NONLINEAR | vm.LOCKED))
    assert value_of(state, call.REMAP_FILE_PAGES, 1, 2, flag.MAP_NONBLOCK) == 0
    assert present(state) == [0, 3] == mlocked(state)


@pytest.mark.parametrize(
    ("vma", "start", "pages"),
    [
        ((2, 6, READ_WRITE, backing.ANON), 2, 2),
        ((2, 6, READ_WRITE), 1, 2),  # begins in a hole
        ((2, 6, READ_WRITE), 5, 2),  # ends in one
        ((2, 6, READ_WRITE), 9, 2),
        ((2, 6, READ_WRITE), 3, 0),
        ((2, 6, READ_WRITE | vm.DONTEXPAND), 3, 1),
        ((2, 6, READ_WRITE | vm.IO), 3, 1),
    ],
)
def test_what_is_not_one_mapping_of_a_file_is_refused(vma, start, pages):
    state = space(vma)
    state.pages[2:6] |= bit.PRESENT
    asked = effects(state, start, pages)
    assert asked[-1] == (effect.DONE, errno.EINVAL, 0)
    assert lock_operations(asked) == ("Ss" if pages else "")
    assert present(state) == [2, 3, 4, 5] and not flags(state) & vm.NONLINEAR


def test_the_mapping_is_looked_up_again_when_the_lock_was_dropped_to_convert():
    state = space((0, 4, READ_WRITE))
    value = at_release(
        state, 1, call.REMAP_FILE_PAGES, 0, 2,
        then=lambda: value_of(state, call.MREMAP, 0, 4, 4, 20, task=1),
    )  # fmt: skip
    assert value == errno.EINVAL
    assert layout(state) == [(20, 24, False)]


def until_the_flag_is_away(remap):
    """Run a remap of locked memory up to the point where it begins to clear marks."""
    for kind, a, _ in remap:
        if (kind, a) == (effect.CPU, work.VMA_VISIT):
            return


@pytest.mark.parametrize(("design", "populated"), [("batched", [0]), ("fault-retry", [0, 1, 2, 3])])
def test_a_second_pass_that_shares_the_lock_meets_memory_that_is_not_locked(design, populated):
    """The RFC skips it; 2.6.38 populates it without marks."""
    state = space((0, 4, NONLINEAR), design=design)
    remap = moves(state, 1, call.REMAP_FILE_PAGES, 0, 1)
    value = at_release(
        state, 1, call.MLOCK, 0, 4, then=lambda: until_the_flag_is_away(remap)
    )  # fmt: skip
    assert list(remap)[-1] == (effect.DONE, 0, 0)
    assert value == 0 and layout(state) == [(0, 4, True)]
    assert (present(state), mlocked(state)) == (populated, [0])


@pytest.mark.parametrize(("design", "marked"), [("exclusive", [0, 1]), ("fault-retry", [0])])
def test_what_is_being_populated_when_the_flag_goes_away(design, marked):
    """FOLL_MLOCK, new in 2.6.38, reads the flag for each page; before, it was read once."""
    state = space((0, 4, NONLINEAR | vm.LOCKED), design=design)
    state.pages[:] &= bit.ALL ^ (bit.PRESENT | bit.MLOCKED)
    for kind, a, _ in moves(state, 0, call.REMAP_FILE_PAGES, 0, 2):
        if kind == effect.CPU and a == work.MLOCK_FILE and flags(state) & vm.LOCKED:
            state.vmas[0, vma.FLAGS] &= ~vm.LOCKED  # as another remap does, sharing the lock
    assert present(state) == [0, 1] and mlocked(state) == marked


@pytest.mark.parametrize(("design", "marked"), [("batched", [0, 1]), ("fault-retry", [0])])
def test_a_batch_marks_what_it_has_found_locked(design, marked):
    state = space((0, 2, NONLINEAR), design=design)
    for kind, a, _ in moves(state, 0, call.MLOCK, 0, 2):
        if kind == effect.CPU and a == work.MLOCK_FILE:
            state.vmas[0, vma.FLAGS] &= ~vm.LOCKED
    assert present(state) == [0, 1] and mlocked(state) == marked


def test_two_that_share_the_lock():
    """The second one sees no VM_LOCKED, and so populates without marks."""
    state = space((0, 4, NONLINEAR | vm.LOCKED))
    first = moves(state, 0, call.REMAP_FILE_PAGES, 0, 1)
    until_the_flag_is_away(first)
    assert value_of(state, call.REMAP_FILE_PAGES, 2, 1, task=1) == 0
    assert list(first)[-1] == (effect.DONE, 0, 0)
    assert present(state) == [0, 1, 2, 3] and mlocked(state) == [0, 1, 3]
