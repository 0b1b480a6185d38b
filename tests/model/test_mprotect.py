"""`mprotect`: checks, VMAs, what becomes of pages, an mlock around it (kernel-facts 8.1)."""

import pytest

from rfcsim.model.layout import bit, call, design, effect, errno, lock, mm, vm, vma, work
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


def flags_of(state):
    return [int(row[vma.FLAGS]) for row in state.vmas[: len(layout(state))]]


def test_the_middle_of_a_vma_gets_its_own():
    state = address_space((0, 9))
    assert value_of(state, call.MPROTECT, 3, 3, arg=vm.READ) == 0
    assert layout(state) == [(0, 3, False), (3, 6, False), (6, 9, False)]
    assert flags_of(state) == [READ_WRITE, vm.READ, READ_WRITE]
    assert value_of(state, call.MPROTECT, 3, 3, arg=READ_WRITE) == 0
    assert layout(state) == [(0, 9, False)], "the parts of one mapping merge again"


def test_one_exclusive_hold_with_the_present_pages_in_one_step():
    state = address_space((0, 9))
    for page in (3, 5, 8):
        value_of(state, call.TOUCH, page, 1, arg=1)
    assert list(moves(state, 0, call.MPROTECT, 3, 3, arg=vm.READ)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_VISIT, 1),
        (effect.CPU, work.VMA_CHANGE, 2),
        (effect.CPU, work.UNMAP_PAGE, 2),
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 0, 0),
    ]


def test_an_empty_range_takes_no_lock():
    state = address_space((4, 8))
    assert list(moves(state, 0, call.MPROTECT, 0, 0)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DONE, 0, 0),
    ]


def test_an_unmapped_start_changes_nothing_and_a_hole_what_is_before_it():
    state = address_space((2, 4), (6, 8))
    assert value_of(state, call.MPROTECT, 0, 8) == errno.ENOMEM
    assert flags_of(state) == [READ_WRITE, READ_WRITE]
    assert value_of(state, call.MPROTECT, 2, 6) == errno.ENOMEM
    assert flags_of(state) == [0, READ_WRITE]


def test_too_many_vmas_is_enomem_and_the_first_split_stays():
    state = address_space((0, 9))
    state.mm[mm.MAX_MAP_COUNT] = 2
    assert value_of(state, call.MPROTECT, 3, 3, arg=vm.READ) == errno.ENOMEM
    assert layout(state) == [(0, 3, False), (3, 9, False)]
    assert flags_of(state) == [READ_WRITE, READ_WRITE]


def test_pages_stay_when_permission_goes_but_nobody_may_reach_them():
    state = address_space((0, 4))
    value_of(state, call.TOUCH, 1, 1, arg=1)
    assert value_of(state, call.MPROTECT, 0, 4) == 0
    assert present(state) == [1]
    assert value_of(state, call.TOUCH, 1, 1) == errno.EFAULT
    assert value_of(state, call.MPROTECT, 0, 4, arg=READ_WRITE) == 0
    assert value_of(state, call.TOUCH, 1, 1, arg=1) == 0


def test_the_zero_page_stays_until_a_write():
    state = address_space((0, 2, vm.READ))
    value_of(state, call.MLOCK, 0, 2)
    assert value_of(state, call.MPROTECT, 0, 2, arg=READ_WRITE) == 0
    assert pages_with(state, bit.ZERO) == [0, 1] and layout(state) == [(0, 2, True)]
    assert value_of(state, call.TOUCH, 0, 1, arg=1) == 0
    assert pages_with(state, bit.ZERO) == [1] and mlocked(state) == [0]


def test_permission_lost_between_two_batches_fails_an_mlock_that_has_locked_all():
    """8.1 no. 7: neither order on the original leaves this behind."""
    state = address_space((0, 3), (3, 6), design=design.BATCHED)
    value = at_release(
        state, 2, call.MLOCK, 0, 6, then=lambda: value_of(state, call.MPROTECT, 0, 3, task=1)
    )
    assert value == errno.ENOMEM
    assert layout(state) == [(0, 3, True), (3, 6, True)] and state.mm[mm.LOCKED_VM] == 6
    assert present(state) == [0, 1]


@pytest.mark.parametrize("first", [call.MLOCK, call.MPROTECT])
def test_on_the_original_mlock_meets_no_permission_or_all_of_it(first):
    state = address_space((0, 3), (3, 6))
    if first == call.MLOCK:
        assert value_of(state, call.MLOCK, 0, 6) == 0
        assert value_of(state, call.MPROTECT, 0, 3) == 0
        assert present(state) == list(range(6))
    else:
        assert value_of(state, call.MPROTECT, 0, 3) == 0
        assert value_of(state, call.MLOCK, 0, 6) == errno.ENOMEM
        assert layout(state) == [(0, 3, True), (3, 6, False)] and present(state) == []


def test_write_permission_lost_between_two_batches_leaves_a_mixture():
    """8.1 no. 8: real pages up to that point, zero pages behind it."""
    state = address_space((0, 6), design=design.BATCHED)
    value = at_release(
        state,
        2,
        call.MLOCK,
        0,
        6,
        then=lambda: value_of(state, call.MPROTECT, 0, 6, arg=vm.READ, task=1),
    )
    assert value == 0 and present(state) == list(range(6))
    assert mlocked(state) == [0, 1] and pages_with(state, bit.ZERO) == [2, 3, 4, 5]
    assert flags_of(state) == [vm.READ | vm.LOCKED]
