"""The clock's parts, each against an outside judge."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.clock.random import log, philox
from rfcsim.clock.timers import NEVER, set_timer
from rfcsim.histogram import N_BUCKETS, bucket_bounds, bucket_of, highest_of

words = st.integers(0, 2**64 - 1)


@given(counter=st.tuples(words, words), key=st.tuples(words, words))
def test_philox_is_numpys(counter, key):
    # NumPy steps its 256-bit counter before it draws.
    ours = philox(*(np.uint64(word) for word in (*counter, *key)))
    before = (counter[0] + (counter[1] << 64) - 1) % 2**256
    theirs = np.random.Philox(counter=before, key=key[0] + (key[1] << 64))
    assert int(ours) == int(theirs.random_raw())


@given(st.floats(2.0**-53, 1.0))
def test_log_is_the_librarys_to_within_rounding(x):
    assert log(x) == pytest.approx(math.log(x), rel=4e-16, abs=4e-16)


@given(st.integers(0, 2**63 - 1))
def test_a_value_lies_in_its_bucket(value):
    low, high = bucket_bounds()
    bucket = bucket_of(value)
    assert low[bucket] <= value <= high[bucket]


def test_buckets_have_no_gaps_and_are_narrow():
    low, high = bucket_bounds()
    assert len(low) == N_BUCKETS and low[0] == 0 and high[-1] == 2**63 - 1
    assert (low[1:] == high[:-1] + 1).all()
    assert (high - low <= low // 32).all()
    assert [highest_of(bucket) for bucket in range(N_BUCKETS)] == high.tolist()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 2**32))
def test_timers_run_in_order_of_time_then_source(times, seed):
    leaves = 1 << (len(times) - 1).bit_length()
    timers = np.full(leaves, NEVER)
    winners = np.concatenate([np.zeros(leaves, np.int64), np.arange(leaves)])
    for node in range(leaves - 1, 0, -1):
        winners[node] = winners[2 * node]
    for source in np.random.default_rng(seed).permutation(len(times)):
        set_timer(timers, winners, source, times[source])
    played = []
    while timers[winners[1]] != NEVER:
        source = int(winners[1])
        played.append((int(timers[source]), source))
        set_timer(timers, winners, source, NEVER)
    assert played == sorted((time, source) for source, time in enumerate(times))
