"""The columns of `Machine.disk`: one row for each read, in service or queued.

Rows [0, depth) are the slots in service. The rest is a ring of queued reads.
"""

from rfcsim.model.layout.complete import size_of

FIRST_PAGE = 0  # -1: the slot is idle
PAGES = 1

SIZE = size_of(vars())
