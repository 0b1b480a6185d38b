"""`mmap_sem`: a reader-writer semaphore, first in first out, with direct hand-over.

Source: lib/rwsem.c and arch/x86/include/asm/rwsem.h of 2.6.36. The releasing task changes the
count on behalf of the tasks that it wakes, so nobody can take the lock between a release and
the wake-up of the next owner. The two rules of 2.6.36 for readers at the very front of the
queue while only readers are active have nothing to do here, where each move is atomic.
"""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import (
    EXCLUSIVE,
    REG_HELD,
    SEM_HEAD,
    SEM_READERS,
    SEM_WAITERS,
    SEM_WRITER,
    SHARED,
    UNLOCKED,
)


@njit
def down(state, task, mode):
    """Take the lock, or join the tail of its queue.

    Parameters
    ----------
    state : State
    task : int
    mode : int
        SHARED or EXCLUSIVE.

    Returns
    -------
    bool
        True if the task holds the lock now; False if it waits.

    Source: `down_read`, `down_write` and `rwsem_down_failed_common`, 2.6.36.
    """
    sem = state.sem
    if sem[SEM_WAITERS] == 0 and sem[SEM_WRITER] == 0:
        if mode == SHARED:
            sem[SEM_READERS] += 1
            state.tasks[task, REG_HELD] = SHARED
            return True
        if sem[SEM_READERS] == 0:
            sem[SEM_WRITER] = task + 1
            state.tasks[task, REG_HELD] = EXCLUSIVE
            return True
    tail = sem[SEM_HEAD] + sem[SEM_WAITERS]
    if tail >= state.queue.size:
        tail -= state.queue.size
    state.queue[tail] = 2 * task + (1 if mode == EXCLUSIVE else 0)
    sem[SEM_WAITERS] += 1
    return False


@njit
def up(state, task):
    """Release the lock and hand it to those at the front of the queue.

    Returns
    -------
    int
        How many tasks were granted the lock; they stand in `state.granted`, in queue order.

    Source: `up_read`, `up_write` and `__rwsem_do_wake`, 2.6.36.
    """
    sem = state.sem
    if state.tasks[task, REG_HELD] == SHARED:
        sem[SEM_READERS] -= 1
    else:
        sem[SEM_WRITER] = 0
    state.tasks[task, REG_HELD] = UNLOCKED
    if sem[SEM_WAITERS] == 0 or sem[SEM_READERS] > 0 or sem[SEM_WRITER] > 0:
        return 0
    return _grant_front(state)


@inner
def _grant_front(state):
    sem = state.sem
    granted = 0
    while sem[SEM_WAITERS] > 0:
        entry = state.queue[sem[SEM_HEAD]]
        exclusive = entry & 1 == 1
        if exclusive and granted > 0:
            break
        task = entry >> 1
        state.granted[granted] = task
        granted += 1
        sem[SEM_HEAD] += 1
        if sem[SEM_HEAD] == state.queue.size:
            sem[SEM_HEAD] = 0
        sem[SEM_WAITERS] -= 1
        if exclusive:
            sem[SEM_WRITER] = task + 1
            state.tasks[task, REG_HELD] = EXCLUSIVE
            break
        sem[SEM_READERS] += 1
        state.tasks[task, REG_HELD] = SHARED
    return granted
