"""Threads: what each task is told to do. `Machine.threads` has one row for each task."""

from rfcsim.model.layout.complete import size_of

FIRST_OP = 0  # its rows of the programs are [thread.FIRST_OP, thread.FIRST_OP + thread.OPS)
OPS = 1
REPEATS = 2  # how often it goes through its rows; 0: for ever
START_KIND = 3  # the delay before its first call: its distribution,
START_NS = 4  # and its mean in nanoseconds
CPU = 5  # the one CPU that it may use, or -1
CLASS = 6  # its class of task, for the recorders
REALTIME = 7  # 1: it runs before all tasks that are not real-time, and takes its CPU from them

SIZE = size_of(vars())
