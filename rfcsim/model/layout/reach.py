"""What a call reaches beside the pages of its range, under `mmap_sem`: what the checker must know.

The checker leaves out orders of steps that make no difference. Which those are depends on this
table: a call that reaches further than it says here has verdicts over too few orders, and nothing
else would show it. So each call has to be in it.
"""

from rfcsim.model.layout import call
from rfcsim.model.layout.complete import require_all

NOTHING = 0
UNLOCKED = 1  # it sees pages, or changes them, without mmap_sem
ON_ENTRY = 2  # ... already in the step whose work is work.SYSCALL
BEYOND = 4  # it can change what a call on other pages has done
TASKS = 8  # it looks at other tasks, or changes them
VMAS = 16  # it makes VMAs that end elsewhere than where a VMA, or a range of a call, did

OF_CALL = {
    call.MLOCK: NOTHING,
    call.MUNLOCK: NOTHING,
    call.MMAP: NOTHING,
    call.MUNMAP: NOTHING,
    call.TOUCH: UNLOCKED | ON_ENTRY,
    call.READ_MAPS: NOTHING,
    call.HOLD: NOTHING,
    call.MPROTECT: NOTHING,
    call.MREMAP: BEYOND | VMAS,
    call.MLOCKALL: NOTHING,  # its range is the whole address space
    call.MUNLOCKALL: NOTHING,
    call.TRUNCATE: UNLOCKED,
    call.KILL: BEYOND | TASKS,
    call.FORK: BEYOND,
    call.BRK: BEYOND,  # what it unmaps lies behind the end that it is asked for
    call.POPULATE: NOTHING,
    call.REMAP_FILE_PAGES: NOTHING,
    call.GET_USER_PAGES: NOTHING,
}
require_all(
    vars(),
    [call.NAMES[number] for number in OF_CALL],
    call.NAMES[1:],
    "say in OF_CALL what it reaches beside the pages of its range, under mmap_sem",
)


def calls_that(reach: int) -> tuple[int, ...]:
    """The calls (call.*) with that bit."""
    return tuple(number for number, bits in OF_CALL.items() if bits & reach)
