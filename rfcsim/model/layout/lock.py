"""The modes in which a task holds `mmap_sem` (`reg.HELD`) or asks for it (`effect.DOWN`)."""

UNLOCKED = 0  # not at all
SHARED = 1
EXCLUSIVE = 2
