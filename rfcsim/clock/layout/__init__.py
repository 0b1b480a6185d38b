"""The arrays of the clock, beside those of the model: a module for the columns of each.

Times are int64 nanoseconds of virtual time; a task is its row number everywhere.
"""
