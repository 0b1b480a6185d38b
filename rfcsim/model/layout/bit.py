"""The bits of `State.pages`, which has one byte for each page of the address space."""

# The page-table entry.
PRESENT = 1  # there is one: the page is mapped
MLOCKED = 2  # PG_mlocked
ZERO = 4  # it maps the shared zero page, which has no mapping

# The file page behind this address.
CACHED = 8  # it is in the page cache, up to date
READING = 16  # it is being read from the disk
MARKED = 32  # PG_readahead: reaching it starts the read of the next window
PAST_EOF = 64  # the file ends before it: a fault gets SIGBUS

COW = 128  # an anonymous page that is shared with a child: a write copies it first
ALL = 255  # bit.ALL ^ x clears x, in a byte; ~x would be a negative number in Python
