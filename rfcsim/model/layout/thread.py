"""Threads: what each task is told to do, one row a task."""

from rfcsim.model.layout.complete import size_of

FIRST_OP = 0  # its rows of programs are [thread.FIRST_OP, thread.FIRST_OP + thread.OPS)
OPS = 1
REPEATS = 2  # times through the rows; 0 is for ever
START_KIND = 3  # distribution of the delay before the first call ...
START_NS = 4  # ... and its mean
CPU = 5  # the one CPU that it may use, or -1
CLASS = 6  # class of task, for the recorders
REALTIME = 7  # 1: runs before all tasks that are not, and takes its CPU from them

SIZE = size_of(vars())
