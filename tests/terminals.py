"""What a test reads from the pseudo-terminal that a command writes to."""

import os


def rest_of(terminal: int) -> bytes:
    """All that is written from now on; returns once no process has the other end any more."""
    drawn = b""
    try:
        while more := os.read(terminal, 1000):
            drawn += more
    except OSError:  # what Linux says of a terminal whose other end is closed
        pass
    return drawn
