"""The twin's random numbers are right by themselves, and equal the engine's to the last bit."""

from itertools import pairwise
from math import log, ulp

import numpy as np
import pytest
from scipy import stats

from rfcsim import Hold, Region, Scenario, TaskGroup
from tests.twin.agreement import agreed_outcome
from tests.twin.cost_values import cost_values
from tests.twin.draws import Draws, logarithm

MEAN_NS = 10**14  # so long that a change in the last bits of a draw shows


def test_the_logarithm_is_good_to_a_few_units_in_the_last_place():
    numbers = np.concatenate(
        [np.geomspace(2.0**-53, 1.0, 5000), 1.0 - np.geomspace(2.0**-53, 0.5, 5000)]
    )
    for x in numbers.tolist():
        assert abs(logarithm(x) - log(x)) <= 4 * ulp(log(x))


@pytest.mark.parametrize(
    ("distribution", "law"),
    [("exponential", stats.expon(scale=MEAN_NS)), ("uniform", stats.uniform(scale=2 * MEAN_NS))],
)
def test_draws_follow_their_law(distribution: str, law):
    draws = Draws(seed=7, replication=3, task=11)
    sample = [draws.duration(distribution, MEAN_NS) for _ in range(4000)]
    assert stats.kstest(sample, law.cdf).pvalue > 0.01


@pytest.mark.parametrize("distribution", ["exponential", "uniform"])
def test_long_times_agree_to_the_nanosecond(distribution: str):
    scenario = Scenario(
        name="long-times",
        costs="none",
        end_ns=10 * MEAN_NS,
        regions=(Region(name="data", pages=1),),
        tasks=(
            TaskGroup(
                name="thinker",
                count=40,
                calls=(Hold(mode="shared", hold_ns=0, think_ns=MEAN_NS, think=distribution),),
                repeats=0,
                start_ns=MEAN_NS,
                start=distribution,
            ),
        ),
    )
    outcome = agreed_outcome(scenario, cost_values(), seed=2**63 - 1, replication=5)
    times = [time for time, event, *_ in outcome.trace if event == "call_begin"]
    assert len(times) > 300
    assert all(later > earlier for earlier, later in pairwise(times))
