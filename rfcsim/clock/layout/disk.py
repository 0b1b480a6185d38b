"""`Machine.disk`: rows [0, depth) are slots in service, the rest a ring of queued reads."""

from rfcsim.model.layout.complete import size_of

FIRST_PAGE = 0  # -1: the slot is idle
PAGES = 1

SIZE = size_of(vars())
