"""Registers: the columns of `State.tasks`, which has one row for each task."""

from rfcsim.model.layout.complete import size_of

# The call that the task is in, and its arguments.
CALL = 0  # call.*; call.NONE between calls
STEP = 1  # the step of the call that runs next
START = 2  # first page
END = 3  # one past the last page
ARG = 4  # VM_*, MAP_*, write access, lock mode, MLOCK_*, MCL_*, task, or mremap's pages
BACKING = 5  # of mmap: backing.*; of hold: nanoseconds; of mremap: the new first page

# How far it has come.
NEXT = 6  # next page to visit
STOP = 7  # one past the last page of this VMA or batch
HELD = 8  # lock.*: how it holds mmap_sem
RETURN = 9  # the value that the call will return
LOOKED_UP = 10  # the file page that this fault has looked up in the page cache, or -1
KILLED = 11  # 1: a fatal signal is pending; outlives the call

# One register with three uses.
PART = 12  # mlock by the downgrading design: first page of the part that it populates
MARKS = 12  # remap_file_pages: 1 if the pages that it populates are mlocked
PAGE = 12  # get_user_pages: the page that it is at

SIZE = size_of(vars())
