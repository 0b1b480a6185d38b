"""Programs: one row for each call that a task makes.

They are `programs` of the clock's :class:`~rfcsim.clock.machine.Machine` and `calls` of the
checker's :class:`~rfcsim.race.problem.Problem`. The model is given the first five columns when a
call begins. The clock alone uses the others, except for the pieces: both engines split a call.
"""

from rfcsim.model.layout.complete import size_of

# The call and its arguments, as `rfcsim.model.step.begin` takes them.
CALL = 0  # call.*
START = 1  # first page
PAGES = 2  # pages
ARG = 3
BACKING = 4  # not for hold, whose nanoseconds are drawn

PICK = 5  # touch: pick.*

# Times that are drawn: a distribution, and its mean in nanoseconds.
WORK_KIND = 6  # hold: its length
WORK_NS = 7
THINK_KIND = 8  # the time before this call
THINK_NS = 9

# Pieces: one call after another, each for a part of the range.
PIECE_PAGES = 10  # pages of a piece; 0: one call for all of them
PAUSE_NS = 11  # from the end of a piece to the next

SIZE = size_of(vars())
