"""`Machine.statistics`: what is kept of each span beside its histogram."""

from rfcsim.model.layout.complete import size_of

COUNT = 0
SUM = 1
MAX = 2

SIZE = size_of(vars())
