"""How a search stands: `Search.control[control.STATUS]`, and what `explore` returns."""

SEARCHING = 0  # call explore() again, with more room if something is full
EXHAUSTED = 1  # every reachable state has been expanded
UNCACHED = 2  # a call wants a page from the disk, which the checker does not model
