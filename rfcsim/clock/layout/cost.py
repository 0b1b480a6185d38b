"""Costs: nanoseconds a unit of each class of work, then the rest of a cost table."""

from rfcsim.model.layout import work

LOCK = work.COUNT  # one mmap_sem operation that does not wait
WAKE_UP = work.COUNT + 1  # from being granted or woken to being runnable
SWITCH = work.COUNT + 2  # a CPU changes from one task to another
TIMESLICE = work.COUNT + 3  # how long a task keeps its CPU while others are ready
DISK_REQUEST = work.COUNT + 4  # each read
DISK_SEEK = work.COUNT + 5  # ... that does not continue the one before it
DISK_PAGE = work.COUNT + 6  # ... and for each page of it
DISK_DEPTH = work.COUNT + 7  # reads served at a time (a count, not a time)
TICK = work.COUNT + 8  # 1 / HZ: lock time-outs are counted in whole ticks
COUNT = work.COUNT + 9
