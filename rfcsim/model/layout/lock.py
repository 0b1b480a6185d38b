"""How a task holds `mmap_sem`, or wants it."""

UNLOCKED = 0
SHARED = 1
EXCLUSIVE = 2
