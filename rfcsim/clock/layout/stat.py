"""What `Machine.statistics` keeps of each span (span.*), besides its histogram."""

COUNT = 0
SUM = 1  # ns
MAX = 2  # ns
SIZE = 3
