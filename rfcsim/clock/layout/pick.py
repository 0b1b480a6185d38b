"""Which page of its range a `touch` accesses: `operation.PICK`."""

FIXED = 0  # the first page
RANDOM = 1  # a page of the range at random
SEQUENTIAL = 2  # the next page of the range, round and round
