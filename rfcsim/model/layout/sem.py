"""The fields of `State.sem`, which is `mmap_sem`: its holders and its queue.

The queue itself is the ring `State.queue`. An entry is 2 * task + (mode == lock.EXCLUSIVE).
"""

from rfcsim.model.layout.complete import size_of

READERS = 0  # how many hold it shared
WRITER = 1  # the task that holds it exclusively + 1, or 0
HEAD = 2  # index in the ring of the first waiter
WAITERS = 3  # how many wait
HAND_OFF = 4  # 1: the first waiter is a writer that has waited long; nobody else may take the lock
SPINNER = 5  # the writer that spins for it + 1, or 0
TIRED = 6  # 1: a writer has spun in vain since the last exclusive hold, so no other spins

SIZE = size_of(vars())
