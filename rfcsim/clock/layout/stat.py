"""`Machine.statistics`: what is kept of each span beside its histogram."""

COUNT = 0
SUM = 1
MAX = 2
SIZE = 3
