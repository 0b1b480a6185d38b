"""The calls that a task can make: `state.tasks[task, reg.CALL]`, and `operation.CALL`.

Most are system calls. The others are a user access to memory, a reader of `/proc/PID/maps`, a
caller that just holds the lock, and the kernel's own `get_user_pages`.
"""

from rfcsim.model.layout.complete import names_of

NONE = 0  # between calls
MLOCK = 1
MUNLOCK = 2
MMAP = 3
MUNMAP = 4
TOUCH = 5  # a user access, and the page fault that it may take
READ_MAPS = 6  # reads /proc/PID/maps
HOLD = 7  # holds mmap_sem for a given time
MPROTECT = 8
MREMAP = 9
MLOCKALL = 10
MUNLOCKALL = 11
TRUNCATE = 12
KILL = 13
FORK = 14
BRK = 15
POPULATE = 16  # madvise(MADV_POPULATE_WRITE)
REMAP_FILE_PAGES = 17
GET_USER_PAGES = 18

NAMES = names_of(vars())
COUNT = len(NAMES)
