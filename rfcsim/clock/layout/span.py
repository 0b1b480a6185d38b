"""The spans of time that are recorded: the second index of `Machine.statistics` and `histograms`.

The first index is the class of task.
"""

from rfcsim.model.layout.complete import names_of

WAIT_SHARED = 0
WAIT_EXCLUSIVE = 1
HOLD_SHARED = 2
HOLD_EXCLUSIVE = 3
CALL = 4
ROUND = 5  # once through a task's program: from the start of its first call to the end of its last

NAMES = names_of(vars())
KINDS = len(NAMES)
