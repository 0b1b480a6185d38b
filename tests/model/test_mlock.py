"""`mlock` and `munlock`: order of checks, return codes and leftovers (kernel-facts 1 and 8.2)."""

import pytest

from rfcsim.model.layout import backing, bit, call, effect, errno, lock, mm, vm, work
from rfcsim.model.layout import design as designs
from tests.model.walk import (
    BOTH,
    READ_WRITE,
    address_space,
    layout,
    mlocked,
    moves,
    present,
    value_of,
)


@BOTH
def test_a_range_is_locked_charged_and_present(design):
    state = address_space((0, 20), design=design)
    assert value_of(state, call.MLOCK, 3, 10) == 0
    assert layout(state) == [(0, 3, False), (3, 13, True), (13, 20, False)]
    assert present(state) == mlocked(state) == list(range(3, 13))
    assert state.mm[mm.LOCKED_VM] == 10


def test_the_original_holds_the_lock_once_and_exclusively():
    state = address_space((0, 20))
    locks = [move for move in moves(state, 0, call.MLOCK, 0, 20) if move[0] == effect.DOWN]
    assert locks == [(effect.DOWN, lock.EXCLUSIVE, 0)]


def test_the_patch_holds_it_shared_for_one_batch_at_a_time():
    state = address_space((0, 10), design=designs.BATCHED, batch_pages=4)
    held, pages_in_hold, seen = 0, [], []
    for kind, mode, _ in moves(state, 0, call.MLOCK, 0, 10):
        if kind == effect.DOWN:
            held = len(present(state))
            seen.append(mode)
        if kind == effect.UP:
            pages_in_hold.append(len(present(state)) - held)
    assert seen == [lock.EXCLUSIVE, lock.SHARED, lock.SHARED, lock.SHARED]
    assert pages_in_hold == [0, 4, 4, 2]


@BOTH
def test_drain_comes_before_the_lock_and_after_the_permission(design):
    state = address_space((0, 4), design=design)
    first = list(moves(state, 0, call.MLOCK, 0, 4))[:3]
    assert first[:2] == [(effect.CPU, work.SYSCALL, 1), (effect.CPU, work.DRAIN_ALL, 1)]
    assert first[2][0] == effect.DOWN
    state.mm[mm.LOCK_LIMIT] = 0
    assert value_of(state, call.MLOCK, 0, 4) == errno.EPERM


@BOTH
def test_pages_that_are_locked_count_twice_against_the_limit(design):
    state = address_space((0, 20), design=design)
    state.mm[mm.LOCK_LIMIT] = 10
    assert value_of(state, call.MLOCK, 0, 6) == 0
    assert value_of(state, call.MLOCK, 0, 6) == errno.ENOMEM
    state.mm[mm.CAP_IPC_LOCK] = 1
    assert value_of(state, call.MLOCK, 0, 20) == 0


@BOTH
def test_an_empty_range_is_fine_and_an_unmapped_start_is_not(design):
    state = address_space((4, 8), design=design)
    assert value_of(state, call.MLOCK, 0, 0) == 0
    assert value_of(state, call.MLOCK, 0, 8) == errno.ENOMEM
    assert layout(state) == [(4, 8, False)]


def test_a_hole_leaves_the_original_populated_and_the_patch_only_flagged():
    """8.2 (a): both return -ENOMEM; what stays behind differs."""
    for design, pages in ((designs.EXCLUSIVE, [0, 1, 2, 3]), (designs.BATCHED, [])):
        state = address_space((0, 4), (6, 8), design=design)
        assert value_of(state, call.MLOCK, 0, 8) == errno.ENOMEM
        assert layout(state) == [(0, 4, True), (6, 8, False)]
        assert state.mm[mm.LOCKED_VM] == 4
        assert present(state) == pages


def test_an_error_in_the_second_vma_leaves_the_third_to_the_patch_alone():
    """8.2 (b): the original stops before the third VMA, the patch has flagged it."""
    for design, third in ((designs.EXCLUSIVE, False), (designs.BATCHED, True)):
        state = address_space((0, 2), (2, 4, 0), (4, 6), design=design)
        assert value_of(state, call.MLOCK, 0, 6) == errno.ENOMEM, "-EFAULT of PROT_NONE, mapped"
        assert layout(state) == [(0, 2, True), (2, 4, True), (4, 6, third)]
        assert present(state) == [0, 1]
        assert state.mm[mm.LOCKED_VM] == (6 if third else 4)


def test_a_second_try_succeeds_with_the_original_and_fails_with_the_patch():
    """8.2 (c): equal flags end the original's work on a VMA; the patch walks it again."""
    for design, again in ((designs.EXCLUSIVE, 0), (designs.BATCHED, errno.ENOMEM)):
        state = address_space((0, 4, 0), design=design)
        assert value_of(state, call.MLOCK, 0, 4) == errno.ENOMEM
        assert value_of(state, call.MLOCK, 0, 4) == again


def test_a_vma_that_is_locked_already_is_populated_by_the_patch_alone():
    """8.2 (d)."""
    for design, pages in ((designs.EXCLUSIVE, []), (designs.BATCHED, [0, 1, 2, 3])):
        state = address_space((0, 4, READ_WRITE | vm.LOCKED), design=design)
        assert value_of(state, call.MLOCK, 0, 4) == 0
        assert present(state) == pages


@BOTH
@pytest.mark.parametrize("flag", [vm.DONTEXPAND, vm.HUGETLB])
def test_special_vmas_are_populated_but_never_flagged(design, flag):
    state = address_space((0, 4, READ_WRITE | flag), design=design)
    assert value_of(state, call.MLOCK, 0, 4) == 0
    assert layout(state) == [(0, 4, False)] and state.mm[mm.LOCKED_VM] == 0
    assert present(state) == [0, 1, 2, 3] and mlocked(state) == []


@BOTH
def test_device_memory_is_left_alone(design):
    state = address_space((0, 4, READ_WRITE | vm.IO), design=design)
    assert value_of(state, call.MLOCK, 0, 4) == 0
    assert present(state) == [] and layout(state) == [(0, 4, False)]


@BOTH
def test_read_only_anonymous_memory_gets_the_zero_page_and_no_mark(design):
    state = address_space((0, 4, vm.READ), design=design)
    assert value_of(state, call.MLOCK, 0, 4) == 0
    assert present(state) == [0, 1, 2, 3] and mlocked(state) == []


@BOTH
def test_past_the_end_of_the_file_is_enomem(design):
    state = address_space((0, 4, vm.READ, backing.FILE), design=design)
    state.pages[:3] = bit.CACHED
    state.pages[3] = bit.PAST_EOF
    assert value_of(state, call.MLOCK, 0, 4) == errno.ENOMEM
    assert mlocked(state) == [0, 1, 2] and layout(state) == [(0, 4, True)]


@BOTH
def test_the_guard_page_of_a_stack_is_skipped_but_not_inside_a_split_stack(design):
    stack = READ_WRITE | vm.GROWSDOWN
    state = address_space((0, 8, stack), design=design)
    assert value_of(state, call.MLOCK, 0, 8) == 0
    assert present(state) == list(range(1, 8))
    state = address_space((0, 8, stack), design=design)
    assert value_of(state, call.MLOCK, 4, 4) == 0
    assert present(state) == [4, 5, 6, 7]


@BOTH
def test_too_many_vmas_is_enomem_but_moving_a_boundary_is_not(design):
    state = address_space((0, 9), design=design)
    assert value_of(state, call.MLOCK, 0, 3) == 0
    state.mm[mm.MAX_MAP_COUNT] = 2
    assert value_of(state, call.MLOCK, 5, 2) == errno.ENOMEM
    assert layout(state) == [(0, 3, True), (3, 9, False)]
    assert value_of(state, call.MLOCK, 3, 3) == 0, "vma_merge comes before split_vma"
    assert layout(state) == [(0, 6, True), (6, 9, False)]


@BOTH
def test_munlock_undoes_flags_marks_and_charge_but_pages_stay(design):
    state = address_space((0, 12), design=design)
    value_of(state, call.MLOCK, 0, 12)
    assert value_of(state, call.MUNLOCK, 2, 4) == 0
    assert layout(state) == [(0, 2, True), (2, 6, False), (6, 12, True)]
    assert state.mm[mm.LOCKED_VM] == 8
    assert mlocked(state) == [0, 1, *range(6, 12)] and present(state) == list(range(12))
    assert value_of(state, call.MUNLOCK, 0, 12) == 0
    assert layout(state) == [(0, 12, False)], "the parts of one mapping merge again"


def test_the_patch_rechecks_flags_and_skips_what_was_munlocked_meanwhile():
    """The race argument's first case, one schedule of it: munlock between two batches."""
    state = address_space((0, 12), design=designs.BATCHED, batch_pages=4)
    releases = 0
    for kind, _, _ in moves(state, 0, call.MLOCK, 0, 12):
        releases += kind == effect.UP
        if kind == effect.UP and releases == 2:  # pass one, then the first batch
            assert value_of(state, call.MUNLOCK, 0, 12, task=1) == 0
    assert present(state) == [0, 1, 2, 3], "the tail was never populated"
    assert mlocked(state) == [] and state.mm[mm.LOCKED_VM] == 0
