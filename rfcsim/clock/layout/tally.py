"""`Machine.calls`: what is kept of each call."""

from rfcsim.model.layout.complete import size_of

COUNT = 0
FAILED = 1  # returned a negative value
SUM_NS = 2
MAX_NS = 3

SIZE = size_of(vars())
