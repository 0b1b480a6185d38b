"""Whoever comes while a batch holds the lock waits for the rest of it, on average half a batch.

Under first in, first out, the RFC's mlock() lets whoever waits in at the end of the batch. An
arrival at a random moment finds the batch at a random point, so its wait is uniform on a batch.
"""

import numpy as np
from scipy import stats

from rfcsim import Hold, Mlock, Region, Scenario, TaskGroup
from tests.twin.cost_values import cost_values
from tests.twin.engine import run_engine, seen_on_engine

PAGE_NS = 1000
BATCH_PAGES = 100
BATCHES = 50
BATCH_NS = BATCH_PAGES * PAGE_NS
MLOCK_NS = BATCHES * BATCH_NS
ARRIVALS = 4000


def waits_and_arrivals(design: str) -> tuple[np.ndarray, np.ndarray]:
    """The waits of tasks that come at random during one mlock(), and when they came, in ns.

    They hold the lock for no time at all, so that they do not get in one another's way.
    """
    scenario = Scenario(
        name="residual",
        costs="none",
        design=design,
        batch_pages=BATCH_PAGES,
        cpus=64,
        regions=(Region(name="data", pages=BATCHES * BATCH_PAGES),),
        tasks=(
            TaskGroup(name="locker", calls=(Mlock(region="data"),)),
            TaskGroup(
                name="arrival",
                count=ARRIVALS,
                calls=(Hold(mode="exclusive", hold_ns=0),),
                start_ns=MLOCK_NS // 2,
                start="uniform",  # on [0, MLOCK_NS)
            ),
        ),
    )
    costs = cost_values(mlock_anon=PAGE_NS)
    trace = seen_on_engine(run_engine(scenario, costs, seed=1, trace_capacity=100_000))["trace"]
    asked, got = np.zeros(ARRIVALS, np.int64), np.zeros(ARRIVALS, np.int64)
    for time, event, task, _, _ in trace:
        if task > 0 and event == "start_locking":
            asked[task - 1] = time
        elif task > 0 and event == "acquire_returned":
            got[task - 1] = time
    return got - asked, asked


def test_the_wait_behind_a_batch_is_uniform():
    waits_ns, _ = waits_and_arrivals("batched")
    assert stats.kstest(waits_ns / BATCH_NS, "uniform").pvalue > 0.01
    # The positive control: a batch that is five percent longer would be noticed.
    assert stats.kstest(waits_ns / (1.05 * BATCH_NS), "uniform").pvalue < 0.001


def test_it_is_half_a_batch_on_average():
    waits_ns, _ = waits_and_arrivals("batched")
    low, high = stats.ttest_1samp(waits_ns, 0).confidence_interval(0.999)
    assert low < BATCH_NS / 2 < high
    assert not low < 1.05 * BATCH_NS / 2 < high  # the positive control


def test_everybody_waits_for_the_end_of_the_batch_that_is_held():
    waits_ns, arrivals_ns = waits_and_arrivals("batched")
    assert np.array_equal((arrivals_ns + waits_ns) % BATCH_NS, np.zeros(ARRIVALS))
    assert waits_ns.max() <= BATCH_NS


def test_everybody_waits_for_the_end_of_an_exclusive_mlock():
    waits_ns, arrivals_ns = waits_and_arrivals("exclusive")
    assert np.array_equal(arrivals_ns + waits_ns, np.full(ARRIVALS, MLOCK_NS))
