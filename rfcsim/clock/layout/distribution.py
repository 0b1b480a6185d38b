"""Distributions of think times, start delays and hold times."""

from rfcsim.model.layout.complete import names_of

CONSTANT = 0
EXPONENTIAL = 1
UNIFORM = 2  # on [0, 2 x mean]

NAMES = names_of(vars())
