"""Distributions of times that are drawn: think times, start delays and the lengths of holds.

They are values of `operation.WORK_KIND`, `operation.THINK_KIND` and `thread.START_KIND`. Each has a
mean.
"""

from rfcsim.model.layout.complete import names_of

CONSTANT = 0
EXPONENTIAL = 1
UNIFORM = 2  # on [0, 2 x mean]

NAMES = names_of(vars())
