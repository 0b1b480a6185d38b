"""Random draws that depend on nothing but (seed, replication, task, number of the draw).

Two designs that are compared under one seed see the same arrivals, in any order of execution.
"""

import math

import numpy as np

from rfcsim._jit import inner, njit
from rfcsim.clock.layout import clock, distribution, sched

_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476


@inner
def _high_product(a, b):
    """Upper 64 bits of a 64 x 64 bit product."""
    a_low, a_high = a & _MASK, a >> _HALF
    b_low, b_high = b & _MASK, b >> _HALF
    middle = a_high * b_low + ((a_low * b_low) >> _HALF)
    other = a_low * b_high + (middle & _MASK)
    return a_high * b_high + (middle >> _HALF) + (other >> _HALF)


@njit
def philox(counter_0, counter_1, key_0, key_1):
    """First word of Philox4x64-10 for the counter (counter_0, counter_1, 0, 0).

    All are uint64. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
    """
    c0, c1, c2, c3 = counter_0, counter_1, np.uint64(0), np.uint64(0)
    for _ in range(10):
        high_0, low_0 = _high_product(_M0, c0), _M0 * c0
        high_1, low_1 = _high_product(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high_1 ^ c1 ^ key_0, low_1, high_0 ^ c3 ^ key_1, low_0
        key_0 += _W0
        key_1 += _W1
    return c0


@njit
def log(x):
    """Natural logarithm of x in (0, 1], the same bits on every machine.

    The logarithms of libraries differ in the last bit. This one uses only operations that IEEE 754
    rounds exactly, in one order: 2 artanh((m - 1) / (m + 1)) by its series, where x = m 2**e.
    """
    m, e = math.frexp(x)
    if m < _SQRT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.0
    for k in range(13, -1, -1):
        p = p * z + 1.0 / (2 * k + 1)
    return e * _LN2 + 2.0 * s * p


@inner
def uniform(machine, task):
    """The task's next draw from [0, 1)."""
    n = machine.schedule[task, sched.DRAWS]
    machine.schedule[task, sched.DRAWS] = n + 1
    word = philox(
        np.uint64(n),
        np.uint64(task),
        np.uint64(machine.clock[clock.SEED]),
        np.uint64(machine.clock[clock.REPLICATION]),
    )
    return np.float64(word >> np.uint64(11)) * 2.0**-53


@njit
def duration(machine, task, kind, mean):
    """A time in ns with this distribution and mean; a constant time takes no draw."""
    if kind == distribution.CONSTANT:
        return mean
    u = uniform(machine, task)
    if kind == distribution.EXPONENTIAL:
        return np.int64(math.floor(-mean * log(1.0 - u)))
    return np.int64(math.floor(2.0 * mean * u))
