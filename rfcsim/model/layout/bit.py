"""`State.pages`: one byte a page of address space, and its bits."""

PRESENT = 1  # a page-table entry maps it
MLOCKED = 2  # PG_mlocked
ZERO = 4  # the entry maps the shared zero page, which has no mapping
CACHED = 8  # the file page behind this address is in the page cache, up to date
READING = 16  # ... is being read from the disk
MARKED = 32  # PG_readahead: reaching it starts the next window
PAST_EOF = 64  # the file ends before this page: a fault gets SIGBUS
COW = 128  # an anonymous page shared with a child: a write copies it first
ALL = 255  # bit.ALL ^ x clears x: a byte has no negative numbers, which ~x is in Python
