"""`mremap`: order of checks, shrinking, growing, moving (kernel-facts 3, 8.1 no. 5, 6)."""

import pytest

from rfcsim.model.layout import (
    backing,
    bit,
    call,
    design,
    effect,
    errno,
    flag,
    lock,
    mm,
    vm,
    vma,
    work,
)
from tests.model.walk import (
    READ_WRITE,
    address_space,
    at_release,
    layout,
    mlocked,
    moves,
    pages_with,
    present,
    value_of,
)

LOCKED = READ_WRITE | vm.LOCKED


def mremap(state, start, old, new, to=flag.MREMAP_IN_PLACE, task=0):
    return value_of(state, call.MREMAP, start, old, arg=new, backing=to, task=task)


def test_shrinking_unmaps_the_tail():
    state = address_space((4, 10, LOCKED))
    for page in range(4, 10):
        value_of(state, call.TOUCH, page, 1, arg=1)
    assert mremap(state, 4, 6, 2) == 4
    assert layout(state) == [(4, 6, True)] and present(state) == [4, 5]
    assert state.mm[mm.LOCKED_VM] == 2 and state.mm[mm.TOTAL_VM] == 2


def test_growing_in_place_populates_only_the_tail_of_locked_memory():
    state = address_space((4, 8, LOCKED))
    assert mremap(state, 4, 4, 7) == 4
    assert layout(state) == [(4, 11, True)]
    assert present(state) == mlocked(state) == [8, 9, 10]
    assert state.mm[mm.LOCKED_VM] == 7 and state.mm[mm.TOTAL_VM] == 7
    state = address_space((4, 8))
    assert mremap(state, 4, 4, 7) == 4
    assert layout(state) == [(4, 11, False)] and present(state) == []


def test_errors_of_populating_are_hidden():
    state = address_space((4, 8, vm.LOCKED))
    assert mremap(state, 4, 4, 6) == 4
    assert layout(state) == [(4, 10, True)] and present(state) == []


def test_growth_of_locked_memory_minds_the_limit_with_eagain():
    state = address_space((4, 8, LOCKED))
    state.mm[mm.LOCK_LIMIT] = 5
    assert mremap(state, 4, 4, 6) == errno.EAGAIN
    assert mremap(state, 4, 4, 5) == 4
    state.mm[mm.CAP_IPC_LOCK] = 1
    assert mremap(state, 4, 5, 9) == 4


@pytest.mark.parametrize("to", [flag.MREMAP_IN_PLACE, flag.MREMAP_MAYMOVE, 20])
@pytest.mark.parametrize(
    ("flags", "value"),
    [
        (READ_WRITE | vm.HUGETLB, errno.EINVAL),
        (READ_WRITE | vm.DONTEXPAND, errno.EFAULT),
        (READ_WRITE | vm.PFNMAP, errno.EFAULT),
        (LOCKED, errno.EAGAIN),
    ],
)
def test_what_may_not_grow(flags, value, to):
    state = address_space((4, 8, flags))
    state.mm[mm.LOCK_LIMIT] = 5
    before = layout(state)
    assert mremap(state, 4, 4, 8, to) == value
    assert layout(state) == before


def test_bad_ranges():
    state = address_space((4, 8), (8, 12, vm.READ))
    assert mremap(state, 4, 4, 0) == errno.EINVAL
    assert mremap(state, 0, 4, 6) == errno.EFAULT, "no VMA"
    assert mremap(state, 4, 6, 7) == errno.EFAULT, "across a VMA's end"
    assert mremap(state, 4, 4, 4, to=6) == errno.EINVAL, "overlap"
    assert mremap(state, 4, 4, 4, to=4) == errno.EINVAL, "onto itself"
    assert mremap(state, 4, 4, 4, to=62) == errno.EINVAL, "behind the address space"
    assert layout(state) == [(4, 8, False), (8, 12, False)]


def test_without_room_it_fails_or_moves_to_the_lowest_hole():
    state = address_space((2, 6), (6, 8), (11, 14))
    assert mremap(state, 2, 4, 6) == errno.ENOMEM
    assert mremap(state, 2, 2, 4, flag.MREMAP_MAYMOVE) == 14, "[0, 2) and [8, 11) are too small"
    assert layout(state) == [(4, 6, False), (6, 8, False), (11, 14, False), (14, 18, False)]
    assert [int(row[vma.IDENTITY]) for row in state.vmas[:4]] == [1, 2, 3, 1]
    assert mremap(state, 11, 3, 40, flag.MREMAP_MAYMOVE) == 18
    assert mremap(state, 4, 2, 60, flag.MREMAP_MAYMOVE) == errno.ENOMEM


def test_a_move_takes_flags_pages_marks_and_charge_along():
    state = address_space((0, 8, LOCKED), (20, 22))
    for page in (2, 3, 20):
        value_of(state, call.TOUCH, page, 1, arg=1)
    assert mremap(state, 2, 4, 4, to=19) == 19
    assert layout(state) == [(0, 2, True), (6, 8, True), (19, 23, True)]
    assert present(state) == mlocked(state) == [19, 20], "what was at the new place is gone"
    assert state.mm[mm.LOCKED_VM] == 8 and state.mm[mm.TOTAL_VM] == 8


def test_a_move_that_grows_populates_the_growth_alone():
    state = address_space((0, 4, LOCKED))
    assert mremap(state, 0, 4, 6, to=10) == 10
    assert layout(state) == [(10, 16, True)] and state.mm[mm.LOCKED_VM] == 6
    assert present(state) == mlocked(state) == [14, 15]


def test_a_move_that_shrinks_unmaps_the_tail_first():
    state = address_space((0, 6))
    for page in range(6):
        value_of(state, call.TOUCH, page, 1, arg=1)
    assert mremap(state, 0, 6, 2, to=10) == 10
    assert layout(state) == [(10, 12, False)] and present(state) == [10, 11]


def test_the_steps_of_a_move_of_locked_memory():
    state = address_space((0, 2, LOCKED), (11, 12))
    value_of(state, call.TOUCH, 1, 1, arg=1)
    assert list(moves(state, 0, call.MREMAP, 0, 2, 3, 10)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_VISIT, 1),  # unmap [10, 13): no split
        (effect.CPU, work.VMA_CHANGE, 1),
        (effect.CPU, work.UNMAP_PAGE, 1),
        (effect.CPU, work.VMA_CHANGE, 1),  # copy_vma
        (effect.CPU, work.UNMAP_PAGE, 1),  # move_page_tables
        (effect.CPU, work.UNMAP_PAGE, 1),
        (effect.CPU, work.VMA_VISIT, 1),  # unmap [0, 2): no split
        (effect.CPU, work.VMA_VISIT, 1),  # ... clear VM_LOCKED
        (effect.CPU, work.MUNLOCK_PAGE, 1),
        (effect.CPU, work.MUNLOCK_PAGE, 1),
        (effect.CPU, work.VMA_CHANGE, 1),  # ... remove, with nothing left to zap
        (effect.CPU, work.MLOCK_ANON, 1),  # the growth
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 10, 0),
    ]


def test_a_move_stays_three_below_max_map_count_and_the_destination_is_gone_by_then():
    state = address_space((0, 4), (10, 14))
    state.mm[mm.MAX_MAP_COUNT] = 4
    assert mremap(state, 0, 4, 4, to=10) == errno.ENOMEM
    assert layout(state) == [(0, 4, False)], "mremap_to had unmapped it"
    state.mm[mm.MAX_MAP_COUNT] = 5
    assert mremap(state, 0, 4, 4, to=10) == 10


def test_a_missing_source_is_noticed_after_the_destination_is_gone():
    state = address_space((10, 14))
    assert mremap(state, 0, 4, 4, to=10) == errno.EFAULT
    assert layout(state) == []


def test_what_moves_back_beside_its_mapping_merges():
    state = address_space((0, 8))
    assert mremap(state, 4, 4, 4, to=20) == 20
    assert layout(state) == [(0, 4, False), (20, 24, False)]
    assert mremap(state, 20, 4, 4, to=4) == 4
    assert layout(state) == [(0, 8, False)] and state.mm[mm.TOTAL_VM] == 8


def test_a_file_takes_what_is_cached_along_but_not_what_is_being_read():
    state = address_space((0, 4, vm.READ, backing.FILE), (8, 9, vm.READ, backing.FILE))
    state.pages[:4] = bit.CACHED, bit.READING, bit.PAST_EOF, 0
    state.pages[21] = bit.CACHED
    state.vmas[0, vma.READ_POSITION] = 2
    value_of(state, call.TOUCH, 0, 1)
    assert mremap(state, 0, 4, 4, to=20) == 20
    assert present(state) == [20]
    assert pages_with(state, bit.CACHED) == [0, 20] and pages_with(state, bit.READING) == [1]
    assert pages_with(state, bit.PAST_EOF) == [2, 22]
    assert state.vmas[1, vma.READ_POSITION] == 20


def test_device_memory_may_move_and_is_never_populated():
    state = address_space((0, 4, READ_WRITE | vm.IO))
    assert mremap(state, 0, 4, 6, to=10) == 10
    assert present(state) == []


@pytest.mark.parametrize("release", [1, 2, 3])
def test_a_move_during_an_mlock_leaves_locked_memory_absent_though_mlock_returns_0(release):
    """8.1 no. 5: the schedule that breaks the RFC's argument."""
    state = address_space((0, 6), design=design.BATCHED)
    value = at_release(
        state, release, call.MLOCK, 0, 6, then=lambda: mremap(state, 0, 6, 6, to=20, task=1)
    )
    done = 2 * (release - 1)
    assert value == 0
    assert layout(state) == [(20, 26, True)] and state.mm[mm.LOCKED_VM] == 6
    assert present(state) == mlocked(state) == list(range(20, 20 + done))


@pytest.mark.parametrize("first", [call.MLOCK, call.MREMAP])
def test_neither_order_of_the_original_leaves_that(first):
    state = address_space((0, 6))
    if first == call.MLOCK:
        assert value_of(state, call.MLOCK, 0, 6) == 0
        assert mremap(state, 0, 6, 6, to=20) == 20
        assert layout(state) == [(20, 26, True)] and present(state) == list(range(20, 26))
    else:
        assert mremap(state, 0, 6, 6, to=20) == 20
        assert value_of(state, call.MLOCK, 0, 6) == errno.ENOMEM
        assert layout(state) == [(20, 26, False)]


def test_growth_during_an_mlock_populates_itself_and_shrinking_is_skipped():
    """8.1 no. 6."""
    state = address_space((0, 6), design=design.BATCHED)
    assert at_release(state, 2, call.MLOCK, 0, 6, then=lambda: mremap(state, 0, 6, 8, task=1)) == 0
    assert mlocked(state) == list(range(8)) and state.mm[mm.LOCKED_VM] == 8
    state = address_space((0, 6), design=design.BATCHED)
    assert at_release(state, 2, call.MLOCK, 0, 6, then=lambda: mremap(state, 0, 6, 3, task=1)) == 0
    assert mlocked(state) == [0, 1, 2] and state.mm[mm.LOCKED_VM] == 3
