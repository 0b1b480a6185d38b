"""Programs: one row a call that a task makes.

The model reads the first five columns. The others say when a call is made and how it is drawn,
which only the clock knows; pieces are for both engines.
"""

from rfcsim.model.layout.complete import size_of

CALL = 0  # call.* of the model
START = 1  # first page
PAGES = 2  # pages
ARG = 3  # as `rfcsim.model.step.begin` wants it, ...
BACKING = 4  # ... and this, but for hold, whose nanoseconds are drawn
PICK = 5  # touch: pick.*
WORK_KIND = 6  # hold: distribution of its length ...
WORK_NS = 7  # ... and its mean
THINK_KIND = 8  # distribution of the time before this call ...
THINK_NS = 9  # ... and its mean
PIECE_PAGES = 10  # the call is made for so many pages at a time; 0: for all at once ...
PAUSE_NS = 11  # ... and this long after the one before

SIZE = size_of(vars())
