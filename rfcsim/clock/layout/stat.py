"""What `Machine.statistics` keeps of each span (span.*), besides its histogram."""

from rfcsim.model.layout.complete import size_of

COUNT = 0
SUM = 1  # ns
MAX = 2  # ns

SIZE = size_of(vars())
