"""The columns of `Machine.schedule`, which has one row for each task: where the task is."""

from rfcsim.model.layout.complete import size_of

# The CPU.
PHASE = 0  # phase.*
CPU = 1  # the CPU that it owns, or -1
TICKET = 2  # its number in the run queue
SLICE_END = 3  # when its time slice is over

# Its program.
OP = 4  # the row of programs that it runs, or will run next
ROUND = 5  # how often it has been through its program
DRAWS = 6  # random draws that it has taken
CALL_BEGAN = 7  # when its call began

# What it waits for.
WAIT_BEGAN = 8  # when it asked for mmap_sem; -1 while it does not wait for it
HOLD_BEGAN = 9  # when mmap_sem was granted to it
WAIT_PAGE = 10  # the page that it sleeps for, or -1

LAST_CLASS = 11  # work class of its last step, the guess for a jump
LAST_RETURN = 12  # what its latest call returned
CALLS = 13  # calls that it has made
PIECE = 14  # pages of its call that earlier pieces have covered
ROUND_BEGAN = 15  # when the first call of this time through its program began

SIZE = size_of(vars())
