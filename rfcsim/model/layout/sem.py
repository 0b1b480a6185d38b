"""`State.sem`: `mmap_sem`; its queue is the ring `State.queue`.

An entry of the queue is 2 * task + (mode == lock.EXCLUSIVE).
"""

from rfcsim.model.layout.complete import size_of

READERS = 0  # shared holders
WRITER = 1  # the exclusive holder's task + 1, or 0
HEAD = 2  # index in queue of the first waiter
WAITERS = 3  # waiters
HAND_OFF = 4  # 1: the first waiter is a writer that has waited long: nobody takes it before
SPINNER = 5  # task + 1 of the writer that spins for it, or 0
TIRED = 6  # 1: a writer spun in vain since the last exclusive hold, so no other does

SIZE = size_of(vars())
