"""A reader/writer lock that is handed over first in, first out, as a SimPy model.

It is independent of the engine and of the twin: it shares only the policy of 2.6.36's rwsem.
"""

from collections import deque
from collections.abc import Generator, Sequence

import simpy


class HandOverLock:
    """A lock granted in the order of requests; neighbours in the queue share it if they can."""

    def __init__(self, environment: simpy.Environment) -> None:
        self.environment = environment
        self.readers = 0
        self.has_writer = False
        self.queue: deque[tuple[bool, simpy.Event]] = deque()  # (exclusive?, granted)

    def request(self, exclusive: bool) -> simpy.Event:
        """Ask for the lock; the event happens when it is granted."""
        granted = self.environment.event()
        self.queue.append((exclusive, granted))
        self._grant()
        return granted

    def release(self, exclusive: bool) -> None:
        if exclusive:
            self.has_writer = False
        else:
            self.readers -= 1
        self._grant()

    def _grant(self) -> None:
        """Grant the lock to the front of the queue, as far as the holders allow."""
        while self.queue and not self.has_writer:
            exclusive, granted = self.queue[0]
            if exclusive and self.readers:
                return
            self.queue.popleft()
            self.has_writer = exclusive
            self.readers += not exclusive
            granted.succeed()


def lock_waits(
    arrivals_ns: Sequence[int], exclusive: Sequence[bool], holds_ns: Sequence[int]
) -> list[int]:
    """Simulate customers of one lock.

    Parameters
    ----------
    arrivals_ns : sequence of int
        When each asks for the lock; of two at the same instant, the one listed first is first.
    exclusive : sequence of bool
        Whether each asks for it exclusively.
    holds_ns : sequence of int
        How long each then holds it.

    Returns
    -------
    list of int
        How long each waited, ns.
    """
    environment = simpy.Environment()
    lock = HandOverLock(environment)
    waits_ns = [0] * len(arrivals_ns)

    def customer(number: int) -> Generator[simpy.Event, object, None]:
        yield environment.timeout(arrivals_ns[number])
        yield lock.request(exclusive[number])
        waits_ns[number] = int(environment.now) - arrivals_ns[number]
        yield environment.timeout(holds_ns[number])
        lock.release(exclusive[number])

    for number in range(len(arrivals_ns)):
        environment.process(customer(number))
    environment.run()
    return waits_ns
