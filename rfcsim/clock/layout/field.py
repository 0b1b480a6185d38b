"""The columns of the rows that a replication leaves: `rows` of :mod:`rfcsim.clock.replications`.

There is a row for each class and span with an entry, and one for each class and call with an entry.
"""

SHARES = (0.5, 0.99, 0.999)  # the quantiles that are kept

REPLICATION = 0
CLASS = 1
RECORD = 2  # span.*
CALL = 3  # call.*; null: all calls together
COUNT = 4  # entries
WAITED = 5  # requests that were not granted at once; null unless the row is for waits
FAILED = 6  # calls that returned a negative value; null unless the row is for calls
QUANTILES = 7  # a column for each of field.SHARES, in ns; null for a single call
MAX_NS = QUANTILES + len(SHARES)
TOTAL_NS = MAX_NS + 1
ELAPSED_NS = MAX_NS + 2  # virtual time at the end of the run
LISTED = MAX_NS + 3  # buckets with an entry; none for a single call
SIZE = MAX_NS + 4

NULL = -1  # in a column: there is no value
