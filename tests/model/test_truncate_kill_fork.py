"""What interferes with a populating mlock without or beside mmap_sem (kernel-facts 8.1)."""

from rfcsim.model.layout import (
    BACKING_FILE,
    CALL_FORK,
    CALL_KILL,
    CALL_MLOCK,
    CALL_MLOCKALL,
    CALL_MMAP,
    CALL_TOUCH,
    CALL_TRUNCATE,
    DESIGN_BATCHED,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_SUBMIT,
    EFFECT_UP,
    EFFECT_WAIT_PAGE,
    ENOMEM,
    ERESTARTSYS,
    EXCLUSIVE,
    MCL_CURRENT,
    MM_DESIGN,
    MM_LOCKED_VM,
    PAGE_CACHED,
    PAGE_COW,
    PAGE_PAST_EOF,
    PAGE_READING,
    VM_LOCKED,
    VM_READ,
    WORK_FAULT_ANON,
    WORK_MLOCK_ANON,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
)
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
    state = address_space((0, 6, VM_READ | VM_LOCKED, BACKING_FILE))
    state.pages[:6] = PAGE_CACHED
    for page in range(6):
        value_of(state, CALL_TOUCH, page, 1)
    effects = list(moves(state, 0, CALL_TRUNCATE, 2, 4))
    assert effects[0] == (EFFECT_CPU, WORK_SYSCALL, 1)
    assert {kind for kind, _, _ in effects} == {EFFECT_CPU, EFFECT_DONE}
    assert present(state) == pages_with(state, PAGE_CACHED) == [0, 1]
    assert pages_with(state, PAGE_PAST_EOF) == [2, 3, 4, 5]
    assert layout(state) == [(0, 6, True)] and state.mm[MM_LOCKED_VM] == 6
    assert value_of(state, CALL_TOUCH, 4, 1) == EFAULT, "SIGBUS"


def test_the_size_changes_before_any_page_goes():
    state = address_space((0, 4, VM_READ, BACKING_FILE))
    state.pages[:4] = PAGE_CACHED
    value_of(state, CALL_TOUCH, 3, 1)
    truncation = moves(state, 0, CALL_TRUNCATE, 0, 4)
    for _ in range(2):
        next(truncation)
    assert present(state) == [3]
    assert value_of(state, CALL_TOUCH, 1, 1, task=1) == EFAULT
    assert list(truncation)[-1] == (EFFECT_DONE, 0, 0)
    assert present(state) == []


def test_truncate_leaves_anonymous_pages_alone():
    state = address_space((0, 2))
    value_of(state, CALL_TOUCH, 0, 1, arg=1)
    assert value_of(state, CALL_TRUNCATE, 0, 2) == 0
    assert present(state) == [0]


def test_truncate_waits_for_a_page_that_is_being_read():
    state = address_space((0, 3, VM_READ, BACKING_FILE))
    state.pages[:3] = PAGE_CACHED, PAGE_READING, PAGE_CACHED
    begin(state, 0, CALL_TRUNCATE, 0, 3, 0, 0)
    seen = [take_step(state, 0) for _ in range(4)]
    assert seen[2:] == [(EFFECT_CPU, WORK_UNMAP_PAGE, 1), (EFFECT_WAIT_PAGE, 1, 0)]
    complete_read(state, 1, 1)
    assert [take_step(state, 0)[0] for _ in range(3)] == [EFFECT_CPU, EFFECT_CPU, EFFECT_DONE]
    assert pages_with(state, PAGE_CACHED) == []


@BOTH
def test_truncate_during_an_mlock_is_enomem_by_either_design(design):
    """8.1 no. 10: unchanged by the patch, since no lock was ever in the way."""
    state = address_space((0, 6, VM_READ, BACKING_FILE), design=design)
    state.pages[:6] = PAGE_CACHED
    value, started = None, False
    for kind, a, _ in moves(state, 0, CALL_MLOCK, 0, 6):
        if not started and present(state) == [0, 1]:
            started = True
            assert value_of(state, CALL_TRUNCATE, 1, 5, task=1) == 0
        value = a if kind == EFFECT_DONE else None
    assert value == ENOMEM and present(state) == [0]


# --- kill -----------------------------------------------------------------------------------


@BOTH
def test_a_fatal_signal_ends_populating_before_the_next_page(design):
    """8.1 no. 16: a part is done, and the value is one that user space never sees."""
    state = address_space((0, 6), design=design)
    value = None
    for kind, a, _ in moves(state, 0, CALL_MLOCK, 0, 6):
        if present(state) == [0, 1, 2]:
            assert value_of(state, CALL_KILL, arg=0, task=1) == 0
        value = a if kind == EFFECT_DONE else None
    assert value == ERESTARTSYS
    assert present(state) == mlocked(state) == [0, 1, 2]
    assert layout(state) == [(0, 6, True)] and state.mm[MM_LOCKED_VM] == 6


def test_a_killed_task_still_takes_the_lock_of_each_batch_that_it_asked_for():
    state = address_space((0, 6), design=DESIGN_BATCHED)
    value = at_release(
        state, 2, CALL_MLOCK, 0, 6, then=lambda: value_of(state, CALL_KILL, arg=0, task=1)
    )
    assert value == ERESTARTSYS and present(state) == [0, 1]


@BOTH
def test_missing_permission_comes_before_the_signal(design):
    state = address_space((0, 2, 0), design=design)
    value_of(state, CALL_KILL, arg=0, task=1)
    assert value_of(state, CALL_MLOCK, 0, 2) == ENOMEM


@BOTH
def test_a_fatal_signal_does_not_keep_a_page_away_that_is_waited_for(design):
    """gup looks for it before it faults a page in, and the fault is not interrupted."""
    state = address_space((0, 2, VM_READ, BACKING_FILE), design=design)
    value = None
    for kind, a, _ in moves(state, 0, CALL_MLOCK, 0, 2):
        if kind == EFFECT_SUBMIT:
            assert value_of(state, CALL_KILL, arg=0, task=1) == 0
        value = a if kind == EFFECT_DONE else None
    assert value == ERESTARTSYS and present(state) == mlocked(state) == [0]


def test_a_fatal_signal_is_hidden_where_errors_are():
    state = address_space((0, 2))
    value_of(state, CALL_KILL, arg=0, task=1)
    assert value_of(state, CALL_MMAP, 4, 2, arg=READ_WRITE | VM_LOCKED) == 4
    assert value_of(state, CALL_MLOCKALL, 0, 64, arg=MCL_CURRENT) == 0
    assert present(state) == [] and state.mm[MM_LOCKED_VM] == 4
    state.mm[MM_DESIGN] = DESIGN_BATCHED
    assert value_of(state, CALL_MLOCKALL, 0, 64, arg=MCL_CURRENT) == ERESTARTSYS


# --- fork -----------------------------------------------------------------------------------


def test_fork_shares_anonymous_pages_until_they_are_written():
    state = address_space((0, 4, READ_WRITE | VM_LOCKED), (4, 6, VM_READ, BACKING_FILE))
    state.pages[4] = PAGE_CACHED
    for page, write in ((0, 1), (1, 0), (3, 1), (4, 0)):
        value_of(state, CALL_TOUCH, page, 1, arg=write)
    assert list(moves(state, 0, CALL_FORK)) == [
        (EFFECT_CPU, WORK_SYSCALL, 1),
        (EFFECT_DOWN, EXCLUSIVE, 0),
        (EFFECT_CPU, WORK_VMA_CHANGE, 2),
        (EFFECT_CPU, WORK_UNMAP_PAGE, 1),
        (EFFECT_CPU, WORK_UNMAP_PAGE, 1),
        (EFFECT_UP, EXCLUSIVE, 0),
        (EFFECT_DONE, 0, 0),
    ]
    assert pages_with(state, PAGE_COW) == [0, 3] and mlocked(state) == [0, 3]
    assert layout(state) == [(0, 4, True), (4, 6, False)]
    assert [kind for kind, _, _ in moves(state, 0, CALL_TOUCH, 0, 1)].count(EFFECT_DOWN) == 0
    assert (EFFECT_CPU, WORK_FAULT_ANON, 1) in list(moves(state, 0, CALL_TOUCH, 0, 1, arg=1))
    assert pages_with(state, PAGE_COW) == [3] and mlocked(state) == [0, 3]


def test_fork_of_nothing():
    assert value_of(address_space(), CALL_FORK) == 0


@BOTH
def test_mlock_breaks_the_sharing(design):
    state = address_space((0, 2), design=design)
    value_of(state, CALL_TOUCH, 0, 1, arg=1)
    value_of(state, CALL_FORK)
    work = [a for kind, a, _ in moves(state, 0, CALL_MLOCK, 0, 2) if kind == EFFECT_CPU]
    assert work.count(WORK_MLOCK_ANON) == 2
    assert pages_with(state, PAGE_COW) == [] and mlocked(state) == [0, 1]


def test_fork_between_two_batches_shares_the_first_pages_alone():
    """8.1 no. 11: neither order on the original gives the mixture; the contract holds."""
    state = address_space((0, 6), design=DESIGN_BATCHED)
    value = at_release(state, 2, CALL_MLOCK, 0, 6, then=lambda: value_of(state, CALL_FORK, task=1))
    assert value == 0 and mlocked(state) == list(range(6))
    assert pages_with(state, PAGE_COW) == [0, 1]
