"""An exclusive lock with random arrivals is the queue M/G/1: its mean wait is known.

A Poisson number of tasks, each with a start that is uniform on [0, T), is a Poisson process on
[0, T). Each task takes the lock once. Pollaczek and Khinchine give
W = rate x E[S^2] / (2 (1 - rate E[S])).

Edges: the queue starts empty, which lowers the mean by about as much as twelve of 3000 customers,
well within the interval. The end of [0, T) does no harm: whoever arrives late is served to the end,
and no wait depends on who comes later.
"""

import numpy as np
import pytest
from scipy import stats

from rfcsim import Hold, Region, Scenario, TaskGroup
from rfcsim.clock.layout import span, stat
from tests.twin.cost_values import cost_values
from tests.twin.engine import run_engine

HOLD_NS = 100_000
LOAD = 0.5
CUSTOMERS = 3000  # expected in one replication
T_NS = int(CUSTOMERS * HOLD_NS / LOAD)
REPLICATIONS = 100
CONFIDENCE = 0.999

SQUARED_HOLD = {  # E[S^2] / E[S]^2
    "constant": 1.0,
    "exponential": 2.0,
    "uniform": 4.0 / 3.0,
}


def mean_waits(distribution: str) -> np.ndarray:
    """The mean wait of each replication, ns."""
    customers = np.random.default_rng(1930).poisson(CUSTOMERS, REPLICATIONS)
    means = []
    for replication, count in enumerate(customers.tolist()):
        scenario = Scenario(
            name="m-g-1",
            costs="none",
            cpus=64,
            regions=(Region(name="data", pages=1),),
            tasks=(
                TaskGroup(
                    name="customer",
                    count=count,
                    calls=(Hold(mode="exclusive", hold_ns=HOLD_NS, distribution=distribution),),
                    start_ns=T_NS // 2,
                    start="uniform",  # on [0, T_NS)
                ),
            ),
        )
        machine = run_engine(
            scenario, cost_values(), seed=1930, replication=replication, trace_capacity=0
        )
        waits = machine.statistics[0, span.WAIT_EXCLUSIVE]
        assert waits[stat.COUNT] == count
        means.append(waits[stat.SUM] / count)
    return np.array(means)


@pytest.mark.parametrize("distribution", SQUARED_HOLD)
def test_the_mean_wait_is_that_of_m_g_1(distribution: str):
    formula_ns = HOLD_NS * LOAD * SQUARED_HOLD[distribution] / (2 * (1 - LOAD))
    waits_ns = mean_waits(distribution)
    low, high = stats.ttest_1samp(waits_ns, 0).confidence_interval(CONFIDENCE)
    assert low < formula_ns < high
    # The positive control: a formula that is wrong by 8 percent would not pass.
    assert not low < 1.08 * formula_ns < high
    assert not low < 0.92 * formula_ns < high
