"""`mprotect`: checks, VMAs, what stays of the pages, and mlock around it (kernel-facts 8.1)."""

import pytest

from rfcsim.model.layout import (
    CALL_MLOCK,
    CALL_MPROTECT,
    CALL_TOUCH,
    DESIGN_BATCHED,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    ENOMEM,
    EXCLUSIVE,
    MM_LOCKED_VM,
    MM_MAX_MAP_COUNT,
    PAGE_ZERO,
    VM_LOCKED,
    VM_READ,
    VMA_FLAGS,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
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


def flags_of(state):
    return [int(row[VMA_FLAGS]) for row in state.vmas[: len(layout(state))]]


def test_the_middle_of_a_vma_gets_its_own():
    state = address_space((0, 9))
    assert value_of(state, CALL_MPROTECT, 3, 3, arg=VM_READ) == 0
    assert layout(state) == [(0, 3, False), (3, 6, False), (6, 9, False)]
    assert flags_of(state) == [READ_WRITE, VM_READ, READ_WRITE]
    assert value_of(state, CALL_MPROTECT, 3, 3, arg=READ_WRITE) == 0
    assert layout(state) == [(0, 9, False)], "the parts of one mapping merge again"


def test_one_exclusive_hold_with_the_present_pages_in_one_step():
    state = address_space((0, 9))
    for page in (3, 5, 8):
        value_of(state, CALL_TOUCH, page, 1, arg=1)
    assert list(moves(state, 0, CALL_MPROTECT, 3, 3, arg=VM_READ)) == [
        (EFFECT_CPU, WORK_SYSCALL, 1),
        (EFFECT_DOWN, EXCLUSIVE, 0),
        (EFFECT_CPU, WORK_VMA_VISIT, 1),
        (EFFECT_CPU, WORK_VMA_CHANGE, 2),
        (EFFECT_CPU, WORK_UNMAP_PAGE, 2),
        (EFFECT_UP, EXCLUSIVE, 0),
        (EFFECT_DONE, 0, 0),
    ]


def test_an_empty_range_takes_no_lock():
    state = address_space((4, 8))
    assert list(moves(state, 0, CALL_MPROTECT, 0, 0)) == [
        (EFFECT_CPU, WORK_SYSCALL, 1),
        (EFFECT_DONE, 0, 0),
    ]


def test_an_unmapped_start_changes_nothing_and_a_hole_what_is_before_it():
    state = address_space((2, 4), (6, 8))
    assert value_of(state, CALL_MPROTECT, 0, 8) == ENOMEM
    assert flags_of(state) == [READ_WRITE, READ_WRITE]
    assert value_of(state, CALL_MPROTECT, 2, 6) == ENOMEM
    assert flags_of(state) == [0, READ_WRITE]


def test_too_many_vmas_is_enomem_and_the_first_split_stays():
    state = address_space((0, 9))
    state.mm[MM_MAX_MAP_COUNT] = 2
    assert value_of(state, CALL_MPROTECT, 3, 3, arg=VM_READ) == ENOMEM
    assert layout(state) == [(0, 3, False), (3, 9, False)]
    assert flags_of(state) == [READ_WRITE, READ_WRITE]


def test_pages_stay_when_permission_goes_but_nobody_may_reach_them():
    state = address_space((0, 4))
    value_of(state, CALL_TOUCH, 1, 1, arg=1)
    assert value_of(state, CALL_MPROTECT, 0, 4) == 0
    assert present(state) == [1]
    assert value_of(state, CALL_TOUCH, 1, 1) == EFAULT
    assert value_of(state, CALL_MPROTECT, 0, 4, arg=READ_WRITE) == 0
    assert value_of(state, CALL_TOUCH, 1, 1, arg=1) == 0


def test_the_zero_page_stays_until_a_write():
    state = address_space((0, 2, VM_READ))
    value_of(state, CALL_MLOCK, 0, 2)
    assert value_of(state, CALL_MPROTECT, 0, 2, arg=READ_WRITE) == 0
    assert pages_with(state, PAGE_ZERO) == [0, 1] and layout(state) == [(0, 2, True)]
    assert value_of(state, CALL_TOUCH, 0, 1, arg=1) == 0
    assert pages_with(state, PAGE_ZERO) == [1] and mlocked(state) == [0]


def test_permission_lost_between_two_batches_fails_an_mlock_that_has_locked_all():
    """8.1 no. 7: neither order on the original leaves this behind."""
    state = address_space((0, 3), (3, 6), design=DESIGN_BATCHED)
    value = at_release(
        state, 2, CALL_MLOCK, 0, 6, then=lambda: value_of(state, CALL_MPROTECT, 0, 3, task=1)
    )
    assert value == ENOMEM
    assert layout(state) == [(0, 3, True), (3, 6, True)] and state.mm[MM_LOCKED_VM] == 6
    assert present(state) == [0, 1]


@pytest.mark.parametrize("first", [CALL_MLOCK, CALL_MPROTECT])
def test_on_the_original_mlock_meets_no_permission_or_all_of_it(first):
    state = address_space((0, 3), (3, 6))
    if first == CALL_MLOCK:
        assert value_of(state, CALL_MLOCK, 0, 6) == 0
        assert value_of(state, CALL_MPROTECT, 0, 3) == 0
        assert present(state) == list(range(6))
    else:
        assert value_of(state, CALL_MPROTECT, 0, 3) == 0
        assert value_of(state, CALL_MLOCK, 0, 6) == ENOMEM
        assert layout(state) == [(0, 3, True), (3, 6, False)] and present(state) == []


def test_write_permission_lost_between_two_batches_leaves_a_mixture():
    """8.1 no. 8: real pages up to there, zero pages behind."""
    state = address_space((0, 6), design=DESIGN_BATCHED)
    value = at_release(
        state,
        2,
        CALL_MLOCK,
        0,
        6,
        then=lambda: value_of(state, CALL_MPROTECT, 0, 6, arg=VM_READ, task=1),
    )
    assert value == 0 and present(state) == list(range(6))
    assert mlocked(state) == [0, 1] and pages_with(state, PAGE_ZERO) == [2, 3, 4, 5]
    assert flags_of(state) == [VM_READ | VM_LOCKED]
