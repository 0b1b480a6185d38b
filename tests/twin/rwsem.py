"""`mmap_sem` as lib/rwsem.c of 2.6.36: first in, first out, handed over (rules 2)."""

from collections import deque

from rfcsim.model.layout import lock


class RwSemaphore:
    """Who holds the lock, and who waits for it in which mode."""

    def __init__(self) -> None:
        self.holders: dict[int, int] = {}  # task -> mode
        self.queue: deque[tuple[int, int]] = deque()  # (task, mode), front first

    def down(self, task: int, mode: int) -> bool:
        """Grant the lock now, or queue the task: is it granted?"""
        exclusive_held = lock.EXCLUSIVE in self.holders.values()
        free = not exclusive_held if mode == lock.SHARED else not self.holders
        if free and not self.queue:
            self.holders[task] = mode
            return True
        self.queue.append((task, mode))
        return False

    def up(self, task: int) -> list[tuple[int, int]]:
        """Release the lock, and hand it to those who are next: (task, mode) in queue order."""
        del self.holders[task]
        if self.holders or not self.queue:
            return []
        granted = [self.queue.popleft()]
        if granted[0][1] == lock.SHARED:
            while self.queue and self.queue[0][1] == lock.SHARED:
                granted.append(self.queue.popleft())
        self.holders.update(granted)
        return granted
