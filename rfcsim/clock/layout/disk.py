"""`Machine.disk`: rows [0, depth) are slots in service, the rest a ring of queued reads."""

FIRST_PAGE = 0  # -1: the slot is idle
PAGES = 1
SIZE = 2
