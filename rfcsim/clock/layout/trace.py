"""The columns of `Machine.trace`, which has one row for each event."""

from rfcsim.model.layout.complete import size_of

TIME = 0  # ns
EVENT = 1  # event.*
TASK = 2  # -1 for the disk
A = 3  # what comes with the event: see rfcsim.clock.layout.event
B = 4

SIZE = size_of(vars())
