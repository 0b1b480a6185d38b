"""The columns of the rows that a replication leaves: `rows` of :mod:`rfcsim.clock.replications`.

There is a row for each class and span with an entry, and one for each class and call with an entry.
"""

REPLICATION = 0
CLASS = 1
RECORD = 2  # span.*
CALL = 3  # call.*; null: all calls together
COUNT = 4  # entries
WAITED = 5  # requests that were not granted at once; null unless the row is for waits
FAILED = 6  # calls that returned a negative value; null unless the row is for calls
QUANTILES = 7  # three columns, for field.SHARES, in ns; null for a single call
MAX_NS = 10
TOTAL_NS = 11
ELAPSED_NS = 12  # virtual time at the end of the run
LISTED = 13  # buckets with an entry; none for a single call
SIZE = 14

NULL = -1  # in a column: there is no value
SHARES = (0.5, 0.99, 0.999)
