"""Distributions of think times, start delays and hold times."""

CONSTANT = 0
EXPONENTIAL = 1
UNIFORM = 2  # on [0, 2 x mean]
NAMES = ("constant", "exponential", "uniform")
