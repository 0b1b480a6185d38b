"""Random numbers (rules 6): NumPy's Philox judges the jitted one."""

from math import floor, frexp, sqrt

import numpy as np

WORD = 1 << 64
LN2 = 0.6931471805599453


class Draws:
    """The draws of one task, in order: each is one word of Philox4x64-10."""

    def __init__(self, seed: int, replication: int, task: int) -> None:
        self.key = seed + replication * WORD
        self.task = task
        self.taken = 0

    def unit(self) -> float:
        """The next draw, as a number in [0, 1)."""
        counter = self.taken + self.task * WORD
        self.taken += 1
        before = (counter - 1) % WORD**4  # NumPy counts before it generates
        word = int(np.random.Philox(key=self.key, counter=before).random_raw())
        return (word >> 11) * 2.0**-53

    def duration(self, distribution: str, mean_ns: int) -> int:
        if distribution == "constant":
            return mean_ns
        u = self.unit()
        if distribution == "uniform":
            return floor(2.0 * mean_ns * u)
        assert distribution == "exponential"
        return floor(-mean_ns * logarithm(1.0 - u))

    def below(self, n: int) -> int:
        return floor(self.unit() * n)


def logarithm(x: float) -> float:
    """The natural logarithm of x in (0, 1], by operations that are exact in IEEE double."""
    mantissa, exponent = frexp(x)
    if mantissa < sqrt(0.5):
        mantissa, exponent = mantissa * 2.0, exponent - 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = 0.0
    for k in range(13, -1, -1):
        series = series * z + 1.0 / (2 * k + 1)
    return exponent * LN2 + 2.0 * s * series
