"""Rows of a run: one for each class and span with an entry, and one for each class and call."""

SHARES = (0.5, 0.99, 0.999)  # the quantiles that are kept

REPLICATION = 0
CLASS = 1
RECORD = 2  # span.*
CALL = 3  # call.*; null: all of them together
COUNT = 4
WAITED = 5  # requests that were not granted at once; null but for waits
FAILED = 6  # calls that returned a negative value; null but for calls
QUANTILES = 7  # the first of field.SHARES, in ns, and the others behind it; null for a single call
MAX_NS = QUANTILES + len(SHARES)
TOTAL_NS = MAX_NS + 1
ELAPSED_NS = MAX_NS + 2  # virtual time at the end of the run
LISTED = MAX_NS + 3  # buckets with an entry; none for a single call
SIZE = MAX_NS + 4
NULL = -1
