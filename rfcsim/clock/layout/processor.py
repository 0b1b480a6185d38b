"""The columns of `Machine.cpus`, which has one row for each CPU."""

from rfcsim.model.layout.complete import size_of

TASK = 0  # the task that owns it, or -1
LAST_TASK = 1  # the task that owned it last, or -1

SIZE = size_of(vars())
