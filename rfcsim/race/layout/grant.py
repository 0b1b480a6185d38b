"""Whom the explorer grants the lock: `control[control.POLICY]`."""

ANY = 0  # any waiter that the holders allow may be granted next: sound for all policies
FIFO = 1  # 2.6.36's hand-over, and nothing else
