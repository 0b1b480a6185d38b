"""`mmap_sem`: a reader-writer semaphore with one queue, by the policy of each kernel.

Policy *fifo* is that of 2.6.36 (lib/rwsem.c, arch/x86/include/asm/rwsem.h): direct hand-over. The
releasing task changes the count on behalf of the tasks that it wakes, so nobody can take the lock
between a release and the wake-up of the next owner. From 3.9 on a writer at the front is only
woken: it has to run, and to win. Every policy is a sum of rules: see
:mod:`rfcsim.model.layout.policy`. Each move is atomic here, so the kernel's rules for the case that
another CPU is in the middle of an operation have nothing to do.

Readers that may have the lock are granted it at the release. So if nobody holds the lock while
somebody waits, the first waiter is a writer on its way.
"""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import lock, mm, policy, reg, sem


@njit
def down(state, task, mode):
    """Take the lock, or join the tail of its queue.

    Parameters
    ----------
    state : State
    task : int
    mode : int
        lock.SHARED or lock.EXCLUSIVE.

    Returns
    -------
    bool
        True if the task holds the lock now; False if it waits.

    Source: `down_read`, `down_write` and `rwsem_down_failed_common`, 2.6.36;
    `rwsem_down_write_failed`, 3.9; `rwsem_down_read_slowpath`, 5.11.
    """
    free = state.sem[sem.WRITER] == 0 and (mode == lock.SHARED or state.sem[sem.READERS] == 0)
    if free and (state.sem[sem.WAITERS] == 0 or _may_pass(state, mode)):
        take(state, task, mode)
        return True
    tail = state.sem[sem.HEAD] + state.sem[sem.WAITERS]
    if tail >= state.queue.size:
        tail -= state.queue.size
    state.queue[tail] = 2 * task + (1 if mode == lock.EXCLUSIVE else 0)
    state.sem[sem.WAITERS] += 1
    return False


@inner
def take(state, task, mode):
    """Make a task an owner of the lock, which is free for that mode."""
    if mode == lock.SHARED:
        state.sem[sem.READERS] += 1
    else:
        state.sem[sem.WRITER] = task + 1
        state.sem[sem.TIRED] = 0
    state.tasks[task, reg.HELD] = mode


@inner
def _may_pass(state, mode):
    """Whether a request takes a lock that is free for it though others wait."""
    rules = state.mm[mm.LOCK_POLICY]
    if rules == 0 or state.sem[sem.HAND_OFF] != 0:
        return False
    if mode == lock.EXCLUSIVE:
        return rules & policy.WRITERS_STEAL != 0
    if rules & policy.READERS_JOIN:
        return True
    return rules & policy.READERS_STEAL != 0 and state.sem[sem.READERS] == 0


@njit
def up(state, task):
    """Release the lock; those whose turn it is are granted it, or woken to try.

    Returns
    -------
    int
        How many tasks are in `state.granted`, in queue order. A task whose reg.HELD is
        lock.UNLOCKED has only been woken, and has to :func:`try_again`.

    Source: `up_read`, `up_write` and `__rwsem_do_wake`, 2.6.36; `rwsem_mark_wake`, 5.3.
    """
    mode = state.tasks[task, reg.HELD]
    if mode == lock.SHARED:
        state.sem[sem.READERS] -= 1
    else:
        state.sem[sem.WRITER] = 0
    state.tasks[task, reg.HELD] = lock.UNLOCKED
    if state.sem[sem.READERS] > 0:
        return 0
    spinner = state.sem[sem.SPINNER] - 1
    if spinner >= 0 and state.sem[sem.HAND_OFF] == 0:
        state.sem[sem.SPINNER] = 0
        take(state, spinner, lock.EXCLUSIVE)
        state.granted[0] = spinner
        return 1
    if state.sem[sem.WAITERS] == 0:
        return 0
    rules = state.mm[mm.LOCK_POLICY]
    exclusive = state.queue[state.sem[sem.HEAD]] & 1 == 1
    if rules & (policy.READERS_FIRST | policy.WRITERS_FIRST | policy.ALTERNATES):
        wanted = _preferred(rules, mode)
        if exclusive != (wanted == lock.EXCLUSIVE) and _first_of(state, wanted) >= 0:
            exclusive = wanted == lock.EXCLUSIVE
    if not exclusive:
        return _grant_readers(state)
    place = _first_of(state, lock.EXCLUSIVE)
    writer = state.queue[_slot(state, place)] >> 1
    state.granted[0] = writer
    if not rules & policy.WAKES_WRITERS:
        _leave_queue(state, place)
        take(state, writer, lock.EXCLUSIVE)
    return 1


@njit
def downgrade(state, task):
    """Turn an exclusive hold into a shared one; readers at the front of the queue join it.

    Returns
    -------
    int
        As for :func:`up`.

    Source: `downgrade_write` and `rwsem_downgrade_wake`, 2.6.36.
    """
    state.sem[sem.WRITER] = 0
    state.sem[sem.READERS] = 1
    state.tasks[task, reg.HELD] = lock.SHARED
    if state.sem[sem.WAITERS] == 0 or state.queue[state.sem[sem.HEAD]] & 1 == 1:
        return 0
    return _grant_readers(state)


@njit
def try_again(state, task, overdue):
    """Let a waiting writer, which runs now, try to take the lock.

    Parameters
    ----------
    state : State
    task : int
    overdue : bool
        Whether it has waited long enough, or is real-time. If such a writer is the first waiter
        and cannot have the lock now, nobody else shall take the lock before it.

    Returns
    -------
    bool
        True if the task holds the lock now; False if it goes on waiting.

    Source: `rwsem_down_write_failed`, 3.9; `rwsem_try_write_lock`, 5.3 to 6.19.
    """
    first = state.queue[state.sem[sem.HEAD]] >> 1 == task
    if state.sem[sem.WRITER] == 0 and state.sem[sem.READERS] == 0 and first:
        _leave_queue(state, 0)
        state.sem[sem.HAND_OFF] = 0
        take(state, task, lock.EXCLUSIVE)
        return True
    if first and overdue and state.mm[mm.LOCK_POLICY] & policy.HANDS_OFF:
        state.sem[sem.HAND_OFF] = 1
    return False


@njit
def may_spin(state):
    """Whether a writer that cannot have the lock now spins for it before it queues.

    Source: `rwsem_can_spin_on_owner` and `rwsem_optimistic_spin`, 5.3 to 6.19. Spinning while a
    writer holds the lock is left out.
    """
    if not state.mm[mm.LOCK_POLICY] & policy.SPINS or state.sem[sem.READERS] == 0:
        return False
    return (
        state.sem[sem.SPINNER] == 0 and state.sem[sem.TIRED] == 0 and state.sem[sem.HAND_OFF] == 0
    )


@inner
def _preferred(rules, last_mode):
    """Which mode goes first after a hold in `last_mode`, if somebody waits for it."""
    if rules & policy.READERS_FIRST:
        return lock.SHARED
    if rules & policy.WRITERS_FIRST:
        return lock.EXCLUSIVE
    return lock.SHARED if last_mode == lock.EXCLUSIVE else lock.EXCLUSIVE


@inner
def _slot(state, place):
    """Index in the ring of the waiter at a place in the queue."""
    slot = state.sem[sem.HEAD] + place
    return slot - state.queue.size if slot >= state.queue.size else slot


@inner
def _first_of(state, mode):
    """Place in the queue of the first waiter for a mode, or -1."""
    for place in range(state.sem[sem.WAITERS]):
        if (state.queue[_slot(state, place)] & 1 == 1) == (mode == lock.EXCLUSIVE):
            return place
    return -1


@inner
def _leave_queue(state, place):
    """Take the waiter at a place out of the queue."""
    queue = state.queue
    for before in range(place, 0, -1):
        queue[_slot(state, before)] = queue[_slot(state, before - 1)]
    state.sem[sem.HEAD] = _slot(state, 1)
    state.sem[sem.WAITERS] -= 1


@inner
def _grant_readers(state):
    """Grant the lock to the readers at the front of the queue, or to all; returns how many."""
    queue = state.queue
    all_readers = state.mm[mm.LOCK_POLICY] & policy.WAKES_ALL_READERS != 0
    waiters, granted, kept = state.sem[sem.WAITERS], 0, 0
    for place in range(waiters):
        entry = queue[_slot(state, place)]
        if entry & 1 == 1:
            if not all_readers:
                break
            queue[_slot(state, kept)] = entry
            kept += 1
            continue
        state.granted[granted] = entry >> 1
        granted += 1
        take(state, entry >> 1, lock.SHARED)
    if not all_readers:
        state.sem[sem.HEAD] = _slot(state, granted)
    state.sem[sem.WAITERS] = waiters - granted
    return granted
