"""`truncate`, `kill` and `fork` while an mlock populates (kernel-facts 8.1)."""

from rfcsim.model.layout import backing, bit, call, design, effect, errno, flag, lock, mm, vm, work
from rfcsim.model.pages import complete_read
from rfcsim.model.step import begin, take_step
from tests.model.walk import (
    BOTH,
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

# --- truncate -------------------------------------------------------------------------------


def test_truncate_takes_pages_away_from_locked_memory_without_the_lock():
    state = address_space((0, 6, vm.READ | vm.LOCKED, backing.FILE))
    state.pages[:6] = bit.CACHED
    for page in range(6):
        value_of(state, call.TOUCH, page, 1)
    effects = list(moves(state, 0, call.TRUNCATE, 2, 4))
    assert effects[0] == (effect.CPU, work.SYSCALL, 1)
    assert {kind for kind, _, _ in effects} == {effect.CPU, effect.DONE}
    assert present(state) == pages_with(state, bit.CACHED) == [0, 1]
    assert pages_with(state, bit.PAST_EOF) == [2, 3, 4, 5]
    assert layout(state) == [(0, 6, True)] and state.mm[mm.LOCKED_VM] == 6
    assert value_of(state, call.TOUCH, 4, 1) == errno.EFAULT, "SIGBUS"


def test_the_size_changes_before_any_page_goes():
    state = address_space((0, 4, vm.READ, backing.FILE))
    state.pages[:4] = bit.CACHED
    value_of(state, call.TOUCH, 3, 1)
    truncation = moves(state, 0, call.TRUNCATE, 0, 4)
    for _ in range(2):
        next(truncation)
    assert present(state) == [3]
    assert value_of(state, call.TOUCH, 1, 1, task=1) == errno.EFAULT
    assert list(truncation)[-1] == (effect.DONE, 0, 0)
    assert present(state) == []


def test_truncate_leaves_anonymous_pages_alone():
    state = address_space((0, 2))
    value_of(state, call.TOUCH, 0, 1, arg=1)
    assert value_of(state, call.TRUNCATE, 0, 2) == 0
    assert present(state) == [0]


def test_truncate_waits_for_a_page_that_is_being_read():
    state = address_space((0, 3, vm.READ, backing.FILE))
    state.pages[:3] = bit.CACHED, bit.READING, bit.CACHED
    begin(state, 0, call.TRUNCATE, 0, 3, 0, 0)
    seen = [take_step(state, 0) for _ in range(4)]
    assert seen[2:] == [(effect.CPU, work.UNMAP_PAGE, 1), (effect.WAIT_PAGE, 1, 0)]
    complete_read(state, 1, 1)
    assert [take_step(state, 0)[0] for _ in range(3)] == [effect.CPU, effect.CPU, effect.DONE]
    assert pages_with(state, bit.CACHED) == []


@BOTH
def test_truncate_during_an_mlock_is_enomem_by_either_design(design):
    """8.1 no. 10: unchanged by the patch, since no lock was ever in the way."""
    state = address_space((0, 6, vm.READ, backing.FILE), design=design)
    state.pages[:6] = bit.CACHED
    value, started = None, False
    for kind, a, _ in moves(state, 0, call.MLOCK, 0, 6):
        if not started and present(state) == [0, 1]:
            started = True
            assert value_of(state, call.TRUNCATE, 1, 5, task=1) == 0
        value = a if kind == effect.DONE else None
    assert value == errno.ENOMEM and present(state) == [0]


# --- kill -----------------------------------------------------------------------------------


@BOTH
def test_a_fatal_signal_ends_populating_before_the_next_page(design):
    """8.1 no. 16: a part is done, and the value is one that user space never sees."""
    state = address_space((0, 6), design=design)
    value = None
    for kind, a, _ in moves(state, 0, call.MLOCK, 0, 6):
        if present(state) == [0, 1, 2]:
            assert value_of(state, call.KILL, arg=0, task=1) == 0
        value = a if kind == effect.DONE else None
    assert value == errno.ERESTARTSYS
    assert present(state) == mlocked(state) == [0, 1, 2]
    assert layout(state) == [(0, 6, True)] and state.mm[mm.LOCKED_VM] == 6


def test_a_killed_task_still_takes_the_lock_of_each_batch_that_it_asked_for():
    state = address_space((0, 6), design=design.BATCHED)
    value = at_release(
        state, 2, call.MLOCK, 0, 6, then=lambda: value_of(state, call.KILL, arg=0, task=1)
    )
    assert value == errno.ERESTARTSYS and present(state) == [0, 1]


@BOTH
def test_missing_permission_comes_before_the_signal(design):
    state = address_space((0, 2, 0), design=design)
    value_of(state, call.KILL, arg=0, task=1)
    assert value_of(state, call.MLOCK, 0, 2) == errno.ENOMEM


@BOTH
def test_a_fatal_signal_does_not_keep_a_page_away_that_is_waited_for(design):
    """gup looks for a signal before it faults a page in, and the fault is not interrupted."""
    state = address_space((0, 2, vm.READ, backing.FILE), design=design)
    value = None
    for kind, a, _ in moves(state, 0, call.MLOCK, 0, 2):
        if kind == effect.SUBMIT:
            assert value_of(state, call.KILL, arg=0, task=1) == 0
        value = a if kind == effect.DONE else None
    assert value == errno.ERESTARTSYS and present(state) == mlocked(state) == [0]


def test_a_fatal_signal_is_hidden_where_errors_are():
    state = address_space((0, 2))
    value_of(state, call.KILL, arg=0, task=1)
    assert value_of(state, call.MMAP, 4, 2, arg=READ_WRITE | vm.LOCKED) == 4
    assert value_of(state, call.MLOCKALL, 0, 64, arg=flag.MCL_CURRENT) == 0
    assert present(state) == [] and state.mm[mm.LOCKED_VM] == 4
    state.mm[mm.DESIGN] = design.BATCHED
    assert value_of(state, call.MLOCKALL, 0, 64, arg=flag.MCL_CURRENT) == errno.ERESTARTSYS


# --- fork -----------------------------------------------------------------------------------


def test_fork_shares_anonymous_pages_until_they_are_written():
    state = address_space((0, 4, READ_WRITE | vm.LOCKED), (4, 6, vm.READ, backing.FILE))
    state.pages[4] = bit.CACHED
    for page, write in ((0, 1), (1, 0), (3, 1), (4, 0)):
        value_of(state, call.TOUCH, page, 1, arg=write)
    assert list(moves(state, 0, call.FORK)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_CHANGE, 2),
        (effect.CPU, work.UNMAP_PAGE, 1),
        (effect.CPU, work.UNMAP_PAGE, 1),
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 0, 0),
    ]
    assert pages_with(state, bit.COW) == [0, 3] and mlocked(state) == [0, 3]
    assert layout(state) == [(0, 4, True), (4, 6, False)]
    assert [kind for kind, _, _ in moves(state, 0, call.TOUCH, 0, 1)].count(effect.DOWN) == 0
    assert (effect.CPU, work.FAULT_ANON, 1) in list(moves(state, 0, call.TOUCH, 0, 1, arg=1))
    assert pages_with(state, bit.COW) == [3] and mlocked(state) == [0, 3]


def test_fork_of_nothing():
    assert value_of(address_space(), call.FORK) == 0


@BOTH
def test_mlock_breaks_the_sharing(design):
    state = address_space((0, 2), design=design)
    value_of(state, call.TOUCH, 0, 1, arg=1)
    value_of(state, call.FORK)
    classes = [a for kind, a, _ in moves(state, 0, call.MLOCK, 0, 2) if kind == effect.CPU]
    assert classes.count(work.MLOCK_ANON) == 2
    assert pages_with(state, bit.COW) == [] and mlocked(state) == [0, 1]


def test_fork_between_two_batches_shares_the_first_pages_alone():
    """8.1 no. 11: neither order on the original gives the mixture; the contract holds."""
    state = address_space((0, 6), design=design.BATCHED)
    value = at_release(state, 2, call.MLOCK, 0, 6, then=lambda: value_of(state, call.FORK, task=1))
    assert value == 0 and mlocked(state) == list(range(6))
    assert pages_with(state, bit.COW) == [0, 1]
