"""What `Machine.calls` keeps of each call (call.*), by class of task."""

from rfcsim.model.layout.complete import size_of

COUNT = 0
FAILED = 1  # how many returned a negative value
SUM_NS = 2
MAX_NS = 3

SIZE = size_of(vars())
