"""Stretches of steps that several calls share, and how a call enters and leaves them.

A call's own steps are numbered below UNMAPPING. A call enters a stretch by setting reg.STEP. When
the stretch is over, the call goes on at its own step UNMAPPED + stage or POPULATED. So a step
number says all there is to know, and each stretch is compiled once. The second pass is the last
thing that a call does.
"""

from rfcsim._jit import inner
from rfcsim.model.layout import reg

# A call's own steps that follow a stretch.
UNMAPPED = 12  # + stage
POPULATED = 15

# Unmapping a range: UNMAPPING + UNMAP_STEPS * stage + the step within it.
UNMAPPING = 16
UNMAP_STEPS = 8
POPULATING = 40  # make [reg.NEXT, reg.STOP) present

# The second pass, which populates from reg.NEXT on under shared holds.
LEAVE_TO_POPULATE = 41  # release the hold of the call first
SECOND_PASS = 42  # take the lock, or return if nothing is left
FIND_PART = 43  # find the next pages that one VMA covers, and make them [reg.NEXT, reg.STOP)
PART_OVER = 44  # they are present, or the hold is to be given up first
SLEEP = 45  # the lock has been given up: wait for the disk if that was the reason
PART_FIRST_PAGE = 46  # make the first page of this hold present
PART_MORE_PAGES = 47  # make the others present

# Stages of unmapping: one for each range that a call unmaps.
WHOLE_RANGE = 0  # [reg.START, reg.END) of munmap, mmap
DESTINATION = 0  # where mremap moves to
TAIL = 1  # the pages by which mremap shrinks
OLD_PLACE = 2  # the pages that mremap has moved: no page-table entry is left there

GO_ON = -2  # in place of an effect: the call has entered a stretch, whose first step is next
NO_STEP = -3  # in place of an effect: no step function makes the call (a test forbids it)


@inner
def begin_unmapping(regs, stage):
    """Enter the unmapping of the call's range for that stage; returns what the call returns."""
    regs[reg.STEP] = UNMAPPING + UNMAP_STEPS * stage
    return GO_ON, 0, 0
