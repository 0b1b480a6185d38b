"""`mlockall`, `munlockall`, and `mmap` that locks or populates (kernel-facts 1.7, 1.8, 8.2)."""

import pytest

from rfcsim.model.layout import backing, bit, call, effect, errno, flag, lock, mm, vm, vma, work
from rfcsim.model.layout import design as designs
from tests.model.walk import (
    BOTH,
    READ_WRITE,
    address_space,
    at_release,
    layout,
    mlocked,
    moves,
    present,
    value_of,
)


def mlockall(state, flags=flag.MCL_CURRENT):
    return value_of(state, call.MLOCKALL, 0, state.pages.size, arg=flags)


def munlockall(state):
    return value_of(state, call.MUNLOCKALL, 0, state.pages.size)


@BOTH
def test_all_that_is_mapped_is_locked_across_holes(design):
    state = address_space((2, 5), (5, 8, vm.READ), (20, 26), design=design)
    assert mlockall(state) == 0
    assert layout(state) == [(2, 5, True), (5, 8, True), (20, 26, True)]
    assert present(state) == [*range(2, 8), *range(20, 26)]
    assert mlocked(state) == [*range(2, 5), *range(20, 26)]
    assert state.mm[mm.LOCKED_VM] == 12 and state.mm[mm.DEF_FLAGS] == 0
    assert munlockall(state) == 0
    assert layout(state) == [(2, 5, False), (5, 8, False), (20, 26, False)]
    assert mlocked(state) == [] and state.mm[mm.LOCKED_VM] == 0


@BOTH
def test_an_empty_address_space(design):
    state = address_space(design=design)
    assert mlockall(state) == 0 and munlockall(state) == 0


@BOTH
def test_checks_come_in_order(design):
    state = address_space((2, 8), design=design)
    state.mm[mm.LOCK_LIMIT] = 0
    assert mlockall(state, 0) == errno.EINVAL and mlockall(state, 4) == errno.EINVAL
    assert mlockall(state) == errno.EPERM
    state.mm[mm.LOCK_LIMIT] = 5
    assert mlockall(state) == errno.ENOMEM, "total_vm is 6"
    assert (
        mlockall(state, flag.MCL_CURRENT | flag.MCL_FUTURE) == errno.ENOMEM
        and state.mm[mm.DEF_FLAGS] == 0
    )
    assert mlockall(state, flag.MCL_FUTURE) == 0, "nothing to count"
    state.mm[mm.CAP_IPC_LOCK] = 1
    assert mlockall(state) == 0


@BOTH
def test_what_is_locked_already_is_counted_once(design):
    """Unlike in mlock, total_vm is compared with the limit, not locked_vm plus the range."""
    state = address_space((2, 8), design=design)
    state.mm[mm.LOCK_LIMIT] = 6
    assert mlockall(state) == 0 and mlockall(state) == 0


def test_the_moves_of_the_original():
    state = address_space((1, 2), (4, 5, READ_WRITE | vm.IO))
    assert list(moves(state, 0, call.MLOCKALL, 0, 64, flag.MCL_CURRENT)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.CPU, work.DRAIN_ALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_VISIT, 1),
        (effect.CPU, work.VMA_VISIT, 1),  # no split, no merge
        (effect.CPU, work.MLOCK_ANON, 1),
        (effect.CPU, work.VMA_VISIT, 1),  # device memory
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 0, 0),
    ]


def test_the_moves_of_munlockall():
    state = address_space((1, 2), design=designs.BATCHED)
    assert list(moves(state, 0, call.MUNLOCKALL, 0, 64)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_VISIT, 1),
        (effect.CPU, work.VMA_VISIT, 1),
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 0, 0),
    ]


def test_a_guard_area_fails_the_patch_and_leaves_what_is_behind_it_absent():
    """8.2: the regression that cryptsetup met; the original ignores each VMA's error."""
    for design, value, pages in (
        (designs.EXCLUSIVE, 0, [0, 1, 4, 5]),
        (designs.BATCHED, errno.ENOMEM, [0, 1]),
    ):
        state = address_space((0, 2), (2, 4, 0), (4, 6), design=design)
        assert mlockall(state) == value
        assert layout(state) == [(0, 2, True), (2, 4, True), (4, 6, True)]
        assert present(state) == pages and state.mm[mm.LOCKED_VM] == 6


def test_a_file_that_is_too_short_fails_the_patch_alone():
    for design, value in ((designs.EXCLUSIVE, 0), (designs.BATCHED, errno.ENOMEM)):
        state = address_space((0, 2, vm.READ, backing.FILE), (4, 6), design=design)
        state.pages[:2] = bit.CACHED, bit.PAST_EOF
        assert mlockall(state) == value


@BOTH
def test_future_alone_leaves_what_is_mapped_alone(design):
    state = address_space((2, 8), design=design)
    assert mlockall(state, flag.MCL_FUTURE) == 0
    assert layout(state) == [(2, 8, False)] and present(state) == []
    assert value_of(state, call.MMAP, 10, 3, arg=READ_WRITE) == 10
    assert layout(state) == [(2, 8, False), (10, 13, True)]
    assert present(state) == mlocked(state) == [10, 11, 12] and state.mm[mm.LOCKED_VM] == 3
    assert munlockall(state) == 0 and state.mm[mm.DEF_FLAGS] == 0
    assert value_of(state, call.MMAP, 20, 3, arg=READ_WRITE) == 20
    assert layout(state)[-1] == (20, 23, False)


@BOTH
def test_current_ends_future(design):
    """do_mlockall assigns mm->def_flags."""
    state = address_space((2, 8), design=design)
    mlockall(state, flag.MCL_CURRENT | flag.MCL_FUTURE)
    assert state.mm[mm.DEF_FLAGS] == vm.LOCKED
    mlockall(state, flag.MCL_CURRENT)
    assert state.mm[mm.DEF_FLAGS] == 0


def test_munlockall_between_two_batches_ends_the_populating():
    """8.1 no. 13."""
    state = address_space((0, 12), design=designs.BATCHED, batch_pages=4)
    value = at_release(
        state,
        2,
        call.MLOCKALL,
        0,
        64,
        flag.MCL_CURRENT,
        then=lambda: value_of(state, call.MUNLOCKALL, 0, 64, task=1),
    )
    assert value == 0 and present(state) == [0, 1, 2, 3]
    assert mlocked(state) == [] and state.mm[mm.LOCKED_VM] == 0


def test_the_second_pass_of_mlockall_takes_the_lock_shared():
    state = address_space((0, 6), (10, 12), design=designs.BATCHED, batch_pages=4)
    taken = [mode for kind, mode, _ in moves(state, 0, call.MLOCKALL, 0, 64, flag.MCL_CURRENT)
             if kind == effect.DOWN]  # fmt: skip
    # [0, 4), [4, 6), [10, 12) past the hole, then the rest of the address space
    assert taken == [lock.EXCLUSIVE, lock.SHARED, lock.SHARED, lock.SHARED, lock.SHARED]


# --- mmap ------------------------------------------------------------------------------


def test_map_locked_is_populated_under_the_one_exclusive_hold():
    state = address_space()
    assert list(moves(state, 0, call.MMAP, 4, 2, READ_WRITE | vm.LOCKED)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_CHANGE, 1),
        (effect.CPU, work.MLOCK_ANON, 1),
        (effect.CPU, work.MLOCK_ANON, 1),
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 4, 0),
    ]
    assert mlocked(state) == [4, 5] and state.mm[mm.LOCKED_VM] == 2


def test_map_locked_needs_the_right_and_the_room():
    state = address_space()
    state.mm[mm.LOCK_LIMIT] = 0
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED) == errno.EPERM
    state.mm[mm.DEF_FLAGS] = vm.LOCKED
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE) == errno.EAGAIN, (
        "MCL_FUTURE asks for no right"
    )
    state.mm[mm.LOCK_LIMIT] = 1
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED) == errno.EAGAIN
    state.mm[mm.LOCK_LIMIT] = 2
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED) == 4
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED) == errno.EAGAIN, (
        "what it would replace counts too"
    )


def test_the_limit_is_tested_before_what_is_in_the_way_is_unmapped():
    state = address_space((4, 8))
    state.mm[mm.LOCK_LIMIT] = 1
    assert value_of(state, call.MMAP, 4, 4, arg=READ_WRITE | vm.LOCKED) == errno.EAGAIN
    assert layout(state) == [(4, 8, False)] and int(state.vmas[0, vma.FLAGS]) == READ_WRITE


def test_errors_of_populating_are_hidden_from_mmap():
    state = address_space()
    assert value_of(state, call.MMAP, 4, 2, arg=vm.LOCKED) == 4
    assert layout(state) == [(4, 6, True)] and state.mm[mm.LOCKED_VM] == 2


@pytest.mark.parametrize(("special", "pages"), [(vm.DONTEXPAND, [4, 5]), (vm.IO, [])])
def test_special_mappings_lose_vm_locked(special, pages):
    state = address_space()
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED | special) == 4
    assert layout(state) == [(4, 6, False)] and state.mm[mm.LOCKED_VM] == 0
    assert present(state) == pages and mlocked(state) == []


def test_map_populate_makes_present_without_a_mark():
    state = address_space()
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | flag.MAP_POPULATE) == 4
    assert present(state) == [4, 5] and mlocked(state) == []
    assert int(state.vmas[0, vma.FLAGS]) == READ_WRITE, "MAP_POPULATE is no flag of the VMA"
    assert value_of(state, call.MMAP, 8, 2, arg=READ_WRITE | flag.MAP_POPULATE | vm.IO) == 8
    assert value_of(state, call.MMAP, 12, 2, arg=flag.MAP_POPULATE) == 12
    assert present(state) == [4, 5]
