"""Whom the checker grants the lock to: `Search.control[control.POLICY]`."""

ANY = 0  # any waiter that the holders allow may be granted it next: sound for every policy
FIFO = 1  # the hand-over of 2.6.36, and nothing else
