"""`Machine.schedule`: where each task is."""

from rfcsim.model.layout.complete import size_of

PHASE = 0  # phase.*
CPU = 1  # the CPU that it owns, or -1
TICKET = 2  # its number in the run queue
SLICE_END = 3  # when its time slice is over
OP = 4  # row of programs that it runs or will run next
ROUND = 5  # times it has been through its program
DRAWS = 6  # random draws taken
CALL_BEGAN = 7  # when its call began
WAIT_BEGAN = 8  # when it asked for mmap_sem; -1: it did not have to wait
HOLD_BEGAN = 9  # when mmap_sem was granted to it
WAIT_PAGE = 10  # the page that it sleeps for, or -1
LAST_CLASS = 11  # work class of its last step, the guess for a jump
LAST_RETURN = 12  # what its latest call returned
CALLS = 13  # calls done
PIECE = 14  # pages of its call that pieces have done
ROUND_BEGAN = 15  # when the first call of this time through its program began

SIZE = size_of(vars())
