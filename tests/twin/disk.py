"""The disk: a number of reads at a time, first come, first served (rules 5)."""

from collections import deque
from typing import NamedTuple

from rfcsim.clock.layout import cost


class Read(NamedTuple):
    first: int
    count: int


class Disk:
    """Reads in service, one per slot, and those that wait for a slot."""

    def __init__(self, costs: list[int]) -> None:
        self.request_ns = costs[cost.DISK_REQUEST]
        self.seek_ns = costs[cost.DISK_SEEK]
        self.page_ns = costs[cost.DISK_PAGE]
        self.slots: list[Read | None] = [None] * costs[cost.DISK_DEPTH]
        self.queue: deque[Read] = deque()
        self.head: int | None = None  # the page after the read that started last

    def idle_slot(self) -> int | None:
        """The lowest-numbered slot that serves nothing."""
        return next((slot for slot, read in enumerate(self.slots) if read is None), None)

    def start(self, slot: int, read: Read) -> int:
        """Begin a read: how long will it take?"""
        self.slots[slot] = read
        seek_ns = 0 if read.first == self.head else self.seek_ns
        self.head = read.first + read.count
        return self.request_ns + self.page_ns * read.count + seek_ns
