"""A real kernel beside the simulated one."""

from rfcsim.live.ftrace import read_trace
from rfcsim.live.lock import LockedMemory, lock_memory, unlock_memory

__all__ = ["LockedMemory", "lock_memory", "read_trace", "unlock_memory"]
