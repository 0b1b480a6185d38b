"""`State.tasks`: one row of registers a task."""

from rfcsim.model.layout.complete import size_of

CALL = 0  # call.*; call.NONE between calls
STEP = 1  # where in the call: the step that runs next
START = 2  # argument: first page
END = 3  # argument: one past the last page
ARG = 4  # argument: VM_*, MAP_*, write access, lock mode, MLOCK_*, MCL_*, task, mremap's pages
BACKING = 5  # argument of mmap: backing.*; of hold: nanoseconds; of mremap: new first page
NEXT = 6  # next page to visit
STOP = 7  # one past the last page of this VMA or batch
HELD = 8  # UNLOCKED, SHARED or EXCLUSIVE
RETURN = 9  # value that the call will return
LOOKED_UP = 10  # the file page that this fault has looked up in the page cache, or -1
KILLED = 11  # 1: a fatal signal is pending; outlives the call
PART = 12  # first page of the part of its range that a downgraded mlock populates
MARKS = 12  # the same register, of remap_file_pages: 1 if what it populates is mlocked
PAGE = 12  # ... of get_user_pages: the page that it is at

SIZE = size_of(vars())
