"""`Machine.trace`: one row an event."""

from rfcsim.model.layout.complete import size_of

TIME = 0
EVENT = 1  # event.*
TASK = 2  # -1 for the disk
A = 3
B = 4

SIZE = size_of(vars())
