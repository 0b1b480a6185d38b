"""The columns of `State.vmas`, which has one row for each VMA, sorted by start.

Rows [0, mm.MAP_COUNT) are in use, and the others are zero.
"""

from rfcsim.model.layout.complete import size_of

START = 0  # first page
END = 1  # one past the last page
FLAGS = 2  # VM_*: a sum of vm.*
BACKING = 3  # backing.*
IDENTITY = 4  # which mmap() made it; tells a range that was mapped again from the old one
READ_POSITION = 5  # last file page faulted here (file_ra_state.prev_pos)
READ_MISSES = 6  # net page-cache misses (file_ra_state.mmap_miss)

SIZE = size_of(vars())
