"""Rows of a run: one for each class and span with an entry, and one for each class and call."""

REPLICATION = 0
CLASS = 1
RECORD = 2  # span.*
CALL = 3  # call.*; null: all of them together
COUNT = 4
WAITED = 5  # requests that were not granted at once; null but for waits
FAILED = 6  # calls that returned a negative value; null but for calls
QUANTILES = 7  # field.SHARES, in ns; null for a single call
MAX_NS = 10
TOTAL_NS = 11
ELAPSED_NS = 12  # virtual time at the end of the run
LISTED = 13  # buckets with an entry; none for a single call
SIZE = 14
NULL = -1
SHARES = (0.5, 0.99, 0.999)
