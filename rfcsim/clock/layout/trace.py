"""`Machine.trace`: one row an event."""

TIME = 0
EVENT = 1  # event.*
TASK = 2  # -1 for the disk
A = 3
B = 4
SIZE = 5
