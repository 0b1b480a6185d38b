"""Log-linear histograms: exact up to 31 ns, then 32 buckets per octave.

A value is known to within 1/32 (3.1 %) of itself, from nanoseconds to centuries, in a fixed
number of buckets. Source: the layout of G. Tene's HdrHistogram.
"""

import math
from functools import cache

import numpy as np

from rfcsim._jit import njit

SUB_BUCKET_BITS = 5
SUB_BUCKETS = 1 << SUB_BUCKET_BITS
N_BUCKETS = SUB_BUCKETS * (64 - SUB_BUCKET_BITS)


@njit
def bucket_of(value):
    """The bucket of a value of at least 0."""
    if value < SUB_BUCKETS:
        return value
    # How often value can be halved and still fill the sub-buckets.
    halvings = 0
    top = value >> SUB_BUCKET_BITS
    for width in (32, 16, 8, 4, 2, 1):
        if top >> width:
            halvings += width
            top >>= width
    return SUB_BUCKETS * halvings + (value >> halvings)


@njit
def highest_of(bucket):
    """The largest value of a bucket."""
    halvings = max(0, bucket // SUB_BUCKETS - 1)
    return ((bucket + 1 - SUB_BUCKETS * halvings) << halvings) - 1


@cache
def bucket_bounds() -> tuple[np.ndarray, np.ndarray]:
    """Bounds of every bucket in ns.

    Returns
    -------
    low, high : int64[N_BUCKETS], read-only
        A bucket counts the values v with low <= v <= high.
    """
    low = []
    for bucket in range(N_BUCKETS):
        halvings = max(0, bucket // SUB_BUCKETS - 1)
        low.append((bucket - SUB_BUCKETS * halvings) << halvings)
    high = [bound - 1 for bound in low[1:]] + [2**63 - 1]
    bounds = np.array(low, np.int64), np.array(high, np.int64)
    for array in bounds:
        array.flags.writeable = False
    return bounds


def quantile(counts: np.ndarray, longest: int, q: float) -> int:
    """The least value that a share q of the entries of a histogram do not exceed.

    Parameters
    ----------
    counts : int64[N_BUCKETS]
    longest : int
        The largest entry, in ns: no quantile exceeds it.
    q : float
        From 0 to 1.

    Returns
    -------
    int
        In ns, at most 1/32 (3.1 %) too large; 0 if there is no entry.
    """
    reached = np.cumsum(counts)
    if not reached[-1]:
        return 0
    bucket = int(np.searchsorted(reached, max(1, math.ceil(q * int(reached[-1])))))
    _, high = bucket_bounds()
    return min(int(high[bucket]), longest)
