"""`mmap_sem` by itself: who is granted what, in which order."""

import pytest

from rfcsim.model.layout import (
    EXCLUSIVE,
    REG_HELD,
    SEM_READERS,
    SEM_WAITERS,
    SEM_WRITER,
    SHARED,
    UNLOCKED,
)
from rfcsim.model.rwsem import down, up
from rfcsim.model.state import new_state


def release(state, task):
    return [int(other) for other in state.granted[: up(state, task)]]


@pytest.fixture
def state():
    return new_state(pages=1, vma_capacity=1, tasks=6)


def test_readers_share(state):
    assert down(state, 0, SHARED) and down(state, 1, SHARED)
    assert state.sem[SEM_READERS] == 2
    assert release(state, 0) == [] and release(state, 1) == []
    assert state.sem[SEM_READERS] == 0


def test_a_writer_excludes(state):
    assert down(state, 0, EXCLUSIVE)
    assert not down(state, 1, SHARED) and not down(state, 2, EXCLUSIVE)
    assert state.tasks[1, REG_HELD] == UNLOCKED


def test_a_reader_behind_a_waiting_writer_waits_though_it_fits_the_holder(state):
    """The convoy that Google's monitoring met: kernel-facts 2.1."""
    assert down(state, 0, SHARED)
    assert not down(state, 1, EXCLUSIVE)
    assert not down(state, 2, SHARED)
    assert release(state, 0) == [1]
    assert release(state, 1) == [2]


def test_a_release_grants_the_run_of_readers_up_to_the_first_writer(state):
    assert down(state, 0, EXCLUSIVE)
    for task, mode in ((1, SHARED), (2, SHARED), (3, EXCLUSIVE), (4, SHARED)):
        assert not down(state, task, mode)
    assert release(state, 0) == [1, 2]
    assert release(state, 1) == []
    assert release(state, 2) == [3]
    assert release(state, 3) == [4]


def test_the_lock_is_the_granted_tasks_before_it_runs(state):
    """Ownership passes with the release, so nobody can steal: the rule that 3.9 gave up."""
    assert down(state, 0, SHARED)
    assert not down(state, 1, EXCLUSIVE)
    release(state, 0)
    assert state.tasks[1, REG_HELD] == EXCLUSIVE and state.sem[SEM_WRITER] == 2
    assert not down(state, 0, SHARED), "the releasing task went to the tail"


def test_the_queue_goes_round_its_ring(state):
    assert down(state, 0, EXCLUSIVE)
    holder = 0
    for turn in range(20):
        waiter = (holder + 1) % 6
        assert not down(state, waiter, EXCLUSIVE), turn
        assert release(state, holder) == [waiter]
        holder = waiter
    assert state.sem[SEM_WAITERS] == 0
