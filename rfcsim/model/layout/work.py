"""Classes of CPU work; a cost table gives nanoseconds a unit."""

from rfcsim.model.layout.complete import names_of

NS = 0  # one unit is one nanosecond, by definition
SYSCALL = 1  # entry and exit of a system call, or of an exception
DRAIN_ALL = 2  # lru_add_drain_all(): a visit to every CPU
VMA_VISIT = 3  # look at one VMA
VMA_CHANGE = 4  # insert, remove, split or merge one VMA
MLOCK_ANON = 5  # mlock makes one absent anonymous page present
MLOCK_ZERO = 6  # ... maps the zero page (no write permission)
MLOCK_FILE = 7  # ... maps one page of the page cache
MLOCK_PRESENT = 8  # ... meets a page that is present
MUNLOCK_PAGE = 9  # munlock visits one page of the range
UNMAP_PAGE = 10  # munmap visits one page of the range
FAULT_ANON = 11  # a user access faults in an anonymous page
FAULT_ZERO = 12  # ... the zero page
FAULT_FILE = 13  # ... a page of the page cache
TOUCH = 14  # a user access that needs no fault
MAPS_VMA = 15  # /proc/PID/maps prints one VMA

NAMES = names_of(vars())
COUNT = len(NAMES)
