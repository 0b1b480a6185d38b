"""The columns of a cost table, `Machine.costs`: nanoseconds, except for the disk's depth.

The first work.COUNT are the costs of one unit of each class of work (work.*).
"""

from rfcsim.model.layout import work

LOCK = work.COUNT  # one mmap_sem operation that does not wait
WAKE_UP = work.COUNT + 1  # from being granted the lock, or woken, to being runnable
SWITCH = work.COUNT + 2  # a CPU changes from one task to another
TIMESLICE = work.COUNT + 3  # how long a task keeps its CPU while others are ready
DISK_REQUEST = work.COUNT + 4  # each read
DISK_SEEK = work.COUNT + 5  # a read that does not continue the one before it, in addition
DISK_PAGE = work.COUNT + 6  # each page of a read, in addition
DISK_DEPTH = work.COUNT + 7  # how many reads are served at a time: a count, not a time
TICK = work.COUNT + 8  # 1 / HZ: lock time-outs are counted in whole ticks
COUNT = work.COUNT + 9
