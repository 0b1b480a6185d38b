"""`mmap_sem` by itself: who is granted what, in which order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim.model.layout import lock, mm, policy, reg, sem
from rfcsim.model.rwsem import down, downgrade, may_spin, try_again, up
from rfcsim.model.state import new_state


def release(state, task):
    return [int(other) for other in state.granted[: up(state, task)]]


@pytest.fixture
def state():
    return new_state(pages=1, vma_capacity=1, tasks=6)


def test_readers_share(state):
    assert down(state, 0, lock.SHARED) and down(state, 1, lock.SHARED)
    assert state.sem[sem.READERS] == 2
    assert release(state, 0) == [] and release(state, 1) == []
    assert state.sem[sem.READERS] == 0


def test_a_writer_excludes(state):
    assert down(state, 0, lock.EXCLUSIVE)
    assert not down(state, 1, lock.SHARED) and not down(state, 2, lock.EXCLUSIVE)
    assert state.tasks[1, reg.HELD] == lock.UNLOCKED


def test_a_reader_behind_a_waiting_writer_waits_though_it_fits_the_holder(state):
    """The convoy that Google's monitoring met: kernel-facts 2.1."""
    assert down(state, 0, lock.SHARED)
    assert not down(state, 1, lock.EXCLUSIVE)
    assert not down(state, 2, lock.SHARED)
    assert release(state, 0) == [1]
    assert release(state, 1) == [2]


def test_a_release_grants_the_run_of_readers_up_to_the_first_writer(state):
    assert down(state, 0, lock.EXCLUSIVE)
    for task, mode in ((1, lock.SHARED), (2, lock.SHARED), (3, lock.EXCLUSIVE), (4, lock.SHARED)):
        assert not down(state, task, mode)
    assert release(state, 0) == [1, 2]
    assert release(state, 1) == []
    assert release(state, 2) == [3]
    assert release(state, 3) == [4]


def test_the_lock_is_the_granted_tasks_before_it_runs(state):
    """Ownership passes with the release, so nobody can steal: the rule that 3.9 gave up."""
    assert down(state, 0, lock.SHARED)
    assert not down(state, 1, lock.EXCLUSIVE)
    release(state, 0)
    assert state.tasks[1, reg.HELD] == lock.EXCLUSIVE and state.sem[sem.WRITER] == 2
    assert not down(state, 0, lock.SHARED), "the releasing task went to the tail"


def test_the_queue_goes_round_its_ring(state):
    assert down(state, 0, lock.EXCLUSIVE)
    holder = 0
    for turn in range(20):
        waiter = (holder + 1) % 6
        assert not down(state, waiter, lock.EXCLUSIVE), turn
        assert release(state, holder) == [waiter]
        holder = waiter
    assert state.sem[sem.WAITERS] == 0


def use_policy(state, name):
    state.mm[mm.LOCK_POLICY] = policy.BY_NAME[name]
    return state


def queue_up(state, *requests):
    for task, mode in requests:
        assert not down(state, task, mode)


def test_a_downgrade_lets_the_readers_at_the_front_in_and_no_writer(state):
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(state, (1, lock.SHARED), (2, lock.EXCLUSIVE), (3, lock.SHARED))
    assert [int(t) for t in state.granted[: downgrade(state, 0)]] == [1]
    assert state.sem[sem.READERS] == 2 and state.sem[sem.WAITERS] == 2


def test_from_3_9_on_a_writer_is_only_woken_and_another_may_steal(state):
    use_policy(state, "writer-stealing")
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(state, (1, lock.EXCLUSIVE))
    assert release(state, 0) == [1] and state.tasks[1, reg.HELD] == lock.UNLOCKED
    assert not down(state, 3, lock.SHARED), "a reader does not pass a waiter"
    assert down(state, 2, lock.EXCLUSIVE), "a writer does"
    assert not try_again(state, 1, overdue=True), "and time alone helps nobody before 5.3"
    assert release(state, 2) == [1]
    assert try_again(state, 1, overdue=False) and state.sem[sem.WRITER] == 2
    assert release(state, 1) == [3]


def test_from_5_3_on_a_first_waiter_that_is_overdue_ends_the_stealing(state):
    use_policy(state, "hand-off")
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(state, (1, lock.EXCLUSIVE))
    assert release(state, 0) == [1]
    assert down(state, 2, lock.EXCLUSIVE)
    assert not try_again(state, 1, overdue=True)
    assert release(state, 2) == [1]
    assert not down(state, 3, lock.EXCLUSIVE) and not down(state, 4, lock.SHARED)
    assert try_again(state, 1, overdue=False)
    assert state.sem[sem.HAND_OFF] == 0


def test_from_5_3_on_all_readers_of_the_queue_are_granted_together(state):
    use_policy(state, "hand-off")
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(
        state,
        (1, lock.SHARED),
        (2, lock.EXCLUSIVE),
        (3, lock.SHARED),
        (4, lock.EXCLUSIVE),
        (5, lock.SHARED),
    )
    assert release(state, 0) == [1, 3, 5]
    assert [release(state, task) for task in (1, 3, 5)] == [[], [], [2]], "the writers keep order"
    assert try_again(state, 2, overdue=False)
    assert release(state, 2) == [4]


def test_from_5_11_on_a_lone_reader_takes_the_lock_from_a_writer_on_its_way(state):
    use_policy(state, "reader-stealing")
    assert down(state, 0, lock.SHARED)
    queue_up(state, (1, lock.EXCLUSIVE))
    assert not down(state, 2, lock.SHARED), "while another reader holds it, it queues"
    assert release(state, 0) == [1]
    assert down(state, 0, lock.SHARED), "the same reader, again"
    assert not try_again(state, 1, overdue=True), "from now on nobody steals"
    assert release(state, 0) == [1]
    assert not down(state, 0, lock.SHARED)
    assert try_again(state, 1, overdue=False)
    assert release(state, 1) == [2, 0]


def test_a_writer_that_spins_takes_the_lock_from_the_last_reader(state):
    use_policy(state, "reader-stealing")
    assert not may_spin(state), "nobody holds it"
    assert down(state, 0, lock.SHARED) and may_spin(state)
    state.sem[sem.SPINNER] = 1 + 1
    assert not may_spin(state), "one spins"
    assert release(state, 0) == [1] and state.tasks[1, reg.HELD] == lock.EXCLUSIVE
    assert not may_spin(use_policy(state, "fifo"))


def test_reader_preference_lets_readers_pass_and_starves_writers(state):
    use_policy(state, "reader-preference")
    assert down(state, 0, lock.SHARED)
    queue_up(state, (1, lock.EXCLUSIVE))
    assert down(state, 2, lock.SHARED)
    assert release(state, 0) == [] and release(state, 2) == [1]
    queue_up(state, (3, lock.EXCLUSIVE), (4, lock.SHARED))
    assert release(state, 1) == [4], "though the writer came first"
    assert release(state, 4) == [3]


def test_writer_preference_grants_writers_first(state):
    use_policy(state, "writer-preference")
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(state, (1, lock.SHARED), (2, lock.EXCLUSIVE), (3, lock.SHARED), (4, lock.EXCLUSIVE))
    assert release(state, 0) == [2] and release(state, 2) == [4]
    assert release(state, 4) == [1, 3]


def test_phase_fair_alternates(state):
    use_policy(state, "phase-fair")
    assert down(state, 0, lock.EXCLUSIVE)
    queue_up(state, (1, lock.EXCLUSIVE), (2, lock.SHARED), (3, lock.EXCLUSIVE), (4, lock.SHARED))
    assert release(state, 0) == [2, 4], "after a writer all readers"
    queue_up(state, (5, lock.SHARED))
    assert release(state, 2) == [] and release(state, 4) == [1], "after them one writer"
    assert release(state, 1) == [5] and release(state, 5) == [3]


@pytest.mark.parametrize("name", policy.BY_NAME)
@given(seed=st.integers(0, 2**32 - 1))
@settings(derandomize=True, max_examples=30, deadline=None)
def test_any_policy_excludes_and_forgets_nobody(name, seed):
    """Random requests, releases and tries: writers are alone, and in the end all are served."""
    rng = np.random.default_rng(seed)
    state = use_policy(new_state(pages=1, vma_capacity=1, tasks=6), name)
    waiting, served = {}, 0
    for turn in range(200):
        held = {t: int(state.tasks[t, reg.HELD]) for t in range(6)}
        served += sum(1 for t in list(waiting) if held[t] != lock.UNLOCKED)
        waiting = {t: mode for t, mode in waiting.items() if held[t] == lock.UNLOCKED}
        holders = [t for t in range(6) if held[t] != lock.UNLOCKED]
        assert state.sem[sem.READERS] == sum(held[t] == lock.SHARED for t in holders)
        assert lock.EXCLUSIVE not in (held[t] for t in holders) or len(holders) == 1
        assert state.sem[sem.WAITERS] == len(waiting)
        idle = [t for t in range(6) if t not in waiting and t not in holders]
        if idle and turn < 150 and rng.random() < 0.6:
            task, mode = int(rng.choice(idle)), int(rng.choice([lock.SHARED, lock.EXCLUSIVE]))
            if not down(state, task, mode):
                waiting[task] = mode
        elif holders:
            up(state, int(rng.choice(holders)))
        elif waiting:
            writers = [t for t, mode in waiting.items() if mode == lock.EXCLUSIVE]
            assert any(try_again(state, t, overdue=bool(rng.random() < 0.5)) for t in writers)
    assert not waiting and served > 10
