"""Stretches of steps that several calls share, and how a call enters and leaves them.

A call's own steps are numbered below UNMAPPING. A call enters a stretch by setting reg.STEP, and
gets its own step UNMAPPED + stage or POPULATED when the stretch is over: a step number
says all there is to know, and each stretch is compiled once. The second pass is the last that
a call does.
"""

from rfcsim._jit import inner
from rfcsim.model.layout import reg

# The last of a call's own steps: where a stretch leaves it.

UNMAPPED = 12  # + stage
POPULATED = 15

# Unmapping a range: UNMAPPING + UNMAP_STEPS * stage + the step within.
UNMAPPING = 16
UNMAP_STEPS = 8
POPULATING = 40  # making [reg.NEXT, reg.STOP) present

# The second pass: populating under shared holds from reg.NEXT on.
LEAVE_TO_POPULATE = 41  # release the hold of the call first
SECOND_PASS = 42  # take the lock, or return if nothing is left
FIND_PART = 43  # find the next pages that one VMA covers, and make them [reg.NEXT, reg.STOP)
PART_OVER = 44  # they are present, or the hold is to be given up before
SLEEP = 45  # the lock is given up: wait for the disk if that was why
PART_FIRST_PAGE = 46  # making them present: the first page of this hold,
PART_MORE_PAGES = 47  # and the others

# The range that is unmapped: a call that unmaps several has several stages.
WHOLE_RANGE = 0  # [reg.START, reg.END) of munmap, mmap
DESTINATION = 0  # where mremap moves to
TAIL = 1  # the pages by which mremap shrinks
OLD_PLACE = 2  # the pages that mremap has moved: no page-table entry is left there

GO_ON = -2  # beside the effects: the call has entered a stretch, whose first step is next


@inner
def begin_unmapping(regs, stage):
    """Enter the unmapping of the call's range of that stage; the caller returns GO_ON."""
    regs[reg.STEP] = UNMAPPING + UNMAP_STEPS * stage
    return GO_ON, 0, 0
