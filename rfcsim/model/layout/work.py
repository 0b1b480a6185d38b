"""Classes of CPU work: an `effect.CPU` is for a number of units of one class.

A cost table gives the nanoseconds of a unit, by the names in NAMES.
"""

from rfcsim.model.layout.complete import names_of

NS = 0  # one unit is one nanosecond, by definition
SYSCALL = 1  # entry and exit of a system call, or of an exception
DRAIN_ALL = 2  # lru_add_drain_all(): a visit to every CPU
VMA_VISIT = 3  # look at one VMA
VMA_CHANGE = 4  # insert, remove, split or merge one VMA

# A page is populated: four classes, in the order that rfcsim.model.pages counts on.
MLOCK_ANON = 5  # makes an absent anonymous page present
MLOCK_ZERO = 6  # maps the zero page, for want of write permission
MLOCK_FILE = 7  # maps a page of the page cache
MLOCK_PRESENT = 8  # meets a page that is present

MUNLOCK_PAGE = 9  # munlock visits one page of the range
UNMAP_PAGE = 10  # munmap visits one page of the range

# A user accesses a page: the same four.
FAULT_ANON = 11  # faults in an anonymous page
FAULT_ZERO = 12  # faults in the zero page
FAULT_FILE = 13  # faults in a page of the page cache
TOUCH = 14  # needs no fault

MAPS_VMA = 15  # /proc/PID/maps prints one VMA

NAMES = names_of(vars())
COUNT = len(NAMES)
