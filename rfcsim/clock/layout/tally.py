"""`Machine.calls`: what is kept of each call."""

COUNT = 0
FAILED = 1  # returned a negative value
SUM_NS = 2
MAX_NS = 3
SIZE = 4
