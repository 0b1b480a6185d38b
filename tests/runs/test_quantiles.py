"""Intervals of quantiles: those of SciPy for independent waits, and wide enough for others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import optimize, signal, stats

from rfcsim import Hold, Region, Scenario, TaskGroup
from rfcsim.errors import RfcsimError
from rfcsim.runs.quantiles import design_effect, quantile_bounds, quantile_intervals
from rfcsim.runs.statistics import mean_intervals
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL, free_costs

ROWS = sweep(SMALL, {"batch_pages": [8, 64]}, replications=8, seed=2)
Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def counted(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of a sample [replications, n], and their counts by replication."""
    values, place = np.unique(sample, return_inverse=True)
    counts = np.zeros((len(sample), len(values)), np.int64)
    np.add.at(counts, (np.arange(len(sample))[:, None], place.reshape(sample.shape)), 1)
    return values, counts


def interval(sample: np.ndarray, q: float, confidence: float, independent: bool):
    values, counts = counted(sample)
    _, low, high = quantile_bounds(counts, q, confidence, independent)
    return (
        -np.inf if low is None else values[low],
        np.inf if high is None else values[high],
    )


def hits(draw: Draw, truth: Any, shape: tuple[int, int], q: float, independent: bool) -> int:
    """In how many of TRIALS trials the 95 % interval of a quantile covers it."""
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(TRIALS):
        low, high = interval(draw(random, *shape), q, 0.95, independent)
        covered += low <= truth <= high
    return covered


TRIALS = 1000
CHANCE = 0.0001  # that a test without a fixed seed would fail although all is well


def at_least(share: float) -> float:
    return float(stats.binom.ppf(CHANCE, TRIALS, share))


def at_most(share: float) -> float:
    return float(stats.binom.isf(CHANCE, TRIALS, share))


@pytest.mark.parametrize("q", [0.01, 0.5, 0.99, 0.999])
@pytest.mark.parametrize("n", [1, 30, 5000])
def test_of_independent_waits_it_is_the_interval_of_scipy(q: float, n: int) -> None:
    sample = np.random.default_rng(n).exponential(size=(1, n))
    expected = stats.quantile_test(sample[0], p=q).confidence_interval(0.9)
    low, high = interval(sample, q, 0.9, independent=True)
    assert low == (-np.inf if np.isnan(expected.low) else expected.low)
    assert high == (np.inf if np.isnan(expected.high) else expected.high)


@pytest.mark.parametrize(
    "distribution", [stats.expon(), stats.pareto(1.5), stats.uniform()], ids=["exp", "pareto", "u"]
)
@pytest.mark.parametrize(("q", "n"), [(0.5, 100), (0.99, 1000), (0.999, 8000)])
def test_independent_waits_are_covered_exactly_as_often_as_the_binomial_says(
    distribution, q: float, n: int
) -> None:
    rank_low, rank_high = stats.binom.ppf(0.025, n, q), stats.binom.isf(0.025, n, q)
    exact = float(stats.binom.cdf(rank_high, n, q) - stats.binom.cdf(rank_low - 1, n, q))
    assert exact >= 0.95

    def draw(random: np.random.Generator, replications: int, n: int) -> np.ndarray:
        return distribution.ppf(random.random((replications, n)))

    covered = hits(draw, distribution.ppf(q), (1, n), q, independent=True)
    assert at_least(exact) <= covered <= at_most(exact)
    # The positive control: intervals of a quantile that is a little off are detected.
    assert hits(draw, distribution.ppf(q - 0.3 * (1 - q)), (1, n), q, True) < at_least(0.95)


@pytest.mark.parametrize(("q", "shape"), [(0.5, (10, 100)), (0.99, (10, 400)), (0.999, (20, 500))])
def test_replications_of_independent_waits_are_covered_too(q: float, shape) -> None:
    def draw(random: np.random.Generator, replications: int, n: int) -> np.ndarray:
        return random.exponential(size=(replications, n))

    assert hits(draw, stats.expon.ppf(q), shape, q, independent=False) >= at_least(0.95)


def neighbours(random: np.random.Generator, replications: int, n: int) -> np.ndarray:
    """Normal waits; each has correlation 0.95 with the one before."""
    shocks = random.normal(size=(replications, n))
    shocks[:, 1:] *= np.sqrt(1 - 0.95**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -0.95], shocks))


@pytest.mark.parametrize(("q", "shape"), [(0.5, (10, 200)), (0.99, (20, 800))])
def test_dependent_waits_are_covered_by_replications_and_not_without(q: float, shape) -> None:
    truth = stats.norm.ppf(q)
    assert hits(neighbours, truth, shape, q, independent=False) >= at_least(0.94)
    assert hits(neighbours, truth, shape, q, independent=True) <= at_most(0.55)


def test_of_few_dependent_waits_the_far_tail_is_often_left_open() -> None:
    """p99.9 of 30 runs of 1000 such waits rests on a handful of excursions, which is too few."""
    random = np.random.default_rng(6)
    truth = stats.norm.ppf(0.999)
    covered = left_open = 0
    for _ in range(300):
        low, high = interval(neighbours(random, 30, 1000), 0.999, 0.95, False)
        covered += low <= truth <= high
        left_open += high == np.inf
    assert covered >= 0.82 * 300
    assert left_open >= 0.1 * 300


def test_the_design_effect_tells_what_waits_are_worth() -> None:
    random = np.random.default_rng(7)
    apart = counted(random.exponential(size=(400, 200)))
    effects = [
        design_effect(counts, int(np.searchsorted(values, np.quantile(values, 0.5))))
        for values, counts in (apart, counted(neighbours(random, 400, 200)))
    ]
    assert effects[0] == pytest.approx(1, abs=0.25)
    assert effects[1] is not None
    assert effects[1] > 10
    # All waits of a replication are the same, so that it is worth one wait.
    same = np.repeat(random.exponential(size=(400, 1)), 50, axis=1)
    values, counts = counted(same)
    assert design_effect(counts, len(values) // 2) == pytest.approx(50, rel=0.01)


# --- a queue with a closed form ---------------------------------------------------------------

TASKS = 8
HOLD_NS = 10_000
THINK_NS = 100_000


def seen_on_arrival() -> np.ndarray:
    """How many tasks are ahead of one that asks: as many as there would be without it.

    N tasks think and hold an exclusive lock, both for exponential times: that is a closed network.
    An arrival sees it as it is with N - 1 tasks. Source: M. Reiser and S. Lavenberg, "Mean-value
    analysis of closed multichain queuing networks", 1980.
    """
    ahead = np.arange(TASKS)
    others = np.cumprod(np.concatenate([[1.0], np.arange(TASKS - 1, 0, -1)]))
    weights = others * (HOLD_NS / THINK_NS) ** ahead
    return weights / weights.sum()


def share_up_to(wait_ns: float) -> float:
    """The distribution of the wait: behind k holds, it is Erlang's."""
    seen = seen_on_arrival()
    return seen[0] + sum(
        seen[k] * stats.gamma.cdf(wait_ns, k, scale=HOLD_NS) for k in range(1, TASKS)
    )


def closed_form(q: float) -> Any:
    """The quantile of the wait, ns."""
    return optimize.brentq(lambda wait_ns: share_up_to(wait_ns) - q, 1, 10**7)


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The waits of a thousand runs of 660 waits each."""
    hold = Hold(
        mode="exclusive",
        hold_ns=HOLD_NS,
        distribution="exponential",
        think_ns=THINK_NS,
        think="exponential",
    )
    group = TaskGroup(
        name="task", count=TASKS, repeats=0, start_ns=THINK_NS, start="exponential", calls=(hold,)
    )
    scenario = Scenario(
        name="closed",
        costs=str(free_costs(Path(tmp_path_factory.mktemp("costs")))),
        cpus=TASKS,
        end_ns=100 * THINK_NS,
        regions=(Region(name="data", pages=1),),
        tasks=(group,),
    )
    rows = sweep(scenario, {"cpus": [TASKS]}, replications=1000, seed=8)
    return rows.filter(pl.col("record") == "wait_exclusive")


def experiments(queue: pl.DataFrame) -> list[pl.DataFrame]:
    """A hundred experiments of ten replications each."""
    return [
        queue.filter(pl.col("replication").is_between(first, first + 9))
        for first in range(0, 1000, 10)
    ]


def test_the_queue_has_the_quantiles_of_its_closed_form(queue: pl.DataFrame) -> None:
    found = quantile_intervals(queue, [0.5, 0.99, 0.999], confidence=0.999)
    assert found["count"].to_list() == [queue["count"].sum()] * 3
    for row in found.to_dicts():
        truth = closed_form(row["q"])
        assert row["low_ns"] <= truth <= row["high_ns"]
        assert row["high_ns"] - row["low_ns"] < 0.12 * truth
        assert row["design_effect"] > 1.5


@pytest.mark.parametrize("q", [0.5, 0.99, 0.999])
def test_its_quantiles_are_covered(queue: pl.DataFrame, q: float) -> None:
    truth = closed_form(q)
    covered = {True: 0, False: 0}
    for experiment in experiments(queue):
        for independent in covered:
            (row,) = quantile_intervals(experiment, q, independent=independent).to_dicts()
            low = 0 if row["low_ns"] is None else row["low_ns"]
            high = np.inf if row["high_ns"] is None else row["high_ns"]
            covered[independent] += low <= truth <= high
    assert covered[False] >= stats.binom.ppf(0.001, 100, 0.95)
    assert covered[True] < covered[False]  # its waits are not independent


def test_its_mean_is_covered(queue: pl.DataFrame) -> None:
    truth = HOLD_NS * (seen_on_arrival() * np.arange(TASKS)).sum()
    covered = 0
    for experiment in experiments(queue):
        (row,) = mean_intervals(experiment, ["mean_ns"]).to_dicts()
        covered += row["low"] <= truth <= row["high"]
    assert stats.binom.ppf(0.001, 100, 0.95) <= covered


# --- frames -----------------------------------------------------------------------------------


def test_a_row_for_each_point_record_and_quantile() -> None:
    found = quantile_intervals(ROWS, [0.5, 0.99])
    assert found.columns == [
        *("point", "scenario", "batch_pages", "class", "record", "q", "replications", "count"),
        *("quantile_ns", "low_ns", "high_ns", "design_effect"),
    ]
    records = ROWS.filter(pl.col("call").is_null())
    groups = records.group_by("point", "class", "record", maintain_order=True).agg(
        pl.col("count").sum(), replications=pl.len().cast(pl.Int64())
    )
    median = found.filter(q=0.5)
    assert median.select(groups.columns).equals(groups)


def test_a_quantile_is_of_all_observations_together() -> None:
    one = ROWS.filter(pl.col("replication") == 0, pl.col("call").is_null())
    found = quantile_intervals(one, [0.5, 0.99])
    for q, column in ((0.5, "p50_ns"), (0.99, "p99_ns")):
        assert found.filter(q=q)["quantile_ns"].to_list() == one[column].to_list()
    for column in ("low_ns", "high_ns", "design_effect"):
        assert found[column].drop_nulls().is_empty()  # one replication
    longest = ROWS.filter(pl.col("call").is_null()).group_by("point", "class", "record")
    top = quantile_intervals(ROWS, 0.99999)
    assert sorted(top["quantile_ns"]) == sorted(longest.agg(pl.col("max_ns").max())["max_ns"])


def test_bounds_are_null_where_the_waits_do_not_reach() -> None:
    found = quantile_intervals(ROWS, [0.01, 0.5, 0.999], independent=True)
    few = found.filter(pl.col("count") < 300)
    assert len(few)
    assert few.filter(q=0.999)["high_ns"].drop_nulls().is_empty()
    many = found.filter(pl.col("count") > 300)
    assert many.filter(q=0.5)["high_ns"].null_count() == 0
    assert found.filter(q=0.01, **{"class": "locker"})["low_ns"].drop_nulls().is_empty()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"q": 1.0}, "q = 1.0: must be between 0 and 1"),
        ({"q": []}, "q is empty: must be one or more between 0 and 1"),
        ({"confidence": 0}, "confidence = 0: must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        quantile_intervals(ROWS, **arguments)
    assert str(caught.value) == message
