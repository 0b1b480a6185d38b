"""What a task can be in the middle of: `state.tasks[task, reg.CALL]`."""

from rfcsim.model.layout.complete import names_of

NONE = 0
MLOCK = 1
MUNLOCK = 2
MMAP = 3
MUNMAP = 4
TOUCH = 5
READ_MAPS = 6
HOLD = 7
MPROTECT = 8
MREMAP = 9
MLOCKALL = 10
MUNLOCKALL = 11
TRUNCATE = 12
KILL = 13
FORK = 14
BRK = 15
POPULATE = 16
REMAP_FILE_PAGES = 17
GET_USER_PAGES = 18

NAMES = names_of(vars())
COUNT = len(NAMES)
