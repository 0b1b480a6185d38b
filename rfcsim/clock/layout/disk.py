"""The columns of `Machine.disk`: one row for each read, in service or queued.

Rows [0, depth) are the slots in service. The rest is a ring of queued reads.
"""

FIRST_PAGE = 0  # -1: the slot is idle
PAGES = 1
SIZE = 2
