"""Replications: the same bytes on any number of threads, and intervals that cover the mean."""

import threading

import numpy as np
import polars as pl
import pytest

from rfcsim.errors import CostTableError, RfcsimError
from rfcsim.runs.replicate import replicate
from rfcsim.runs.simulate import simulate
from rfcsim.runs.statistics import mean_interval
from tests.runs.examples import SMALL


def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    alone = replicate(SMALL, 12, seed=5, threads=1)
    for threads in (2, 5):
        together = replicate(SMALL, 12, seed=5, threads=threads)
        for one, other in zip(alone.results, together.results, strict=True):
            assert one.replication == other.replication
            for name in ("_statistics", "_histograms", "_calls", "_schedule"):
                assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        assert alone.summary().equals(together.summary())


def test_a_replication_is_the_run_of_that_number() -> None:
    replications = replicate(SMALL, 3, seed=5)
    for number, result in enumerate(replications.results):
        single = simulate(SMALL, seed=5, replication=number)
        assert single.histogram.equals(result.histogram)
        assert single.elapsed_ns == result.elapsed_ns
    of_one = replications.waits.filter(pl.col("replication") == 1).drop("replication")
    assert of_one.equals(replications.results[1].waits)


def test_replications_and_seeds_differ() -> None:
    runs = [*replicate(SMALL, 8, seed=5).results, *replicate(SMALL, 8, seed=6).results]
    assert len({(run.elapsed_ns, run._statistics.tobytes()) for run in runs}) == 16


def test_designs_see_the_same_draws() -> None:
    """Common random numbers: a start delay does not depend on the design."""
    starts = []
    for design in ("exclusive", "batched"):
        trace = simulate(SMALL.replace(design=design), seed=9, trace=100_000).trace
        begun = trace.filter(pl.col("event") == "call_begin")
        starts.append(begun.group_by("task", maintain_order=True).first().sort("task")["time_ns"])
    assert starts[0].equals(starts[1])


def test_the_histogram_is_the_sum() -> None:
    replications = replicate(SMALL, 4)
    total = sum(result.histogram["count"].sum() for result in replications.results)
    assert replications.histogram["count"].sum() == total
    assert replications.histogram.drop("count").is_unique().all()


def test_the_summary_averages_over_replications() -> None:
    replications = replicate(SMALL, 6)
    summary = replications.summary()
    victim = summary.filter((pl.col("class") == "victim") & (pl.col("quantity") == "max_ns"))
    row = victim.row(0, named=True)
    longest = [
        result.waits.filter(pl.col("class") == "victim")["max_ns"].item()
        for result in replications.results
    ]
    assert row["mean"] == pytest.approx(np.mean(longest))
    assert row["low"] < row["mean"] < row["high"]
    assert row["replications"] == 6
    wide = replications.summary(confidence=0.99).filter(
        (pl.col("class") == "victim") & (pl.col("quantity") == "max_ns")
    )
    assert wide["high"].item() > row["high"]


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    draws = np.random.default_rng(1).normal(100.0, 10.0, size=(4000, 5))
    covered = 0
    for sample in draws:
        _, low, high = mean_interval(sample, 0.9)
        assert low is not None
        assert high is not None
        covered += low <= 100.0 <= high
    # 4000 trials at 90 %: the standard error is 0.5 %.
    assert 0.88 < covered / 4000 < 0.92


def test_intervals_of_few_or_equal_figures() -> None:
    assert mean_interval(np.array([3.0]), 0.95) == (3.0, None, None)
    assert mean_interval(np.array([3.0, 3.0]), 0.95) == (3.0, 3.0, 3.0)
    mean, low, _ = mean_interval(np.array([0.0, 0.0, 9.0]), 0.95)
    assert (mean, low) == (3.0, 0.0)


def test_one_replication_has_a_table_without_margins() -> None:
    table = replicate(SMALL, 1).table()
    assert table["max"].to_list() == simulate(SMALL).table()["max"].to_list()


def test_the_table_has_means_and_margins() -> None:
    table = replicate(SMALL, 4).table()
    assert table["class"].to_list() == ["locker", "victim"]
    assert "+-" in table["total"][1]


def test_progress_counts_replications() -> None:
    shares: list[float] = []
    replicate(SMALL, 4, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("n", "threads", "message"),
    [
        (0, None, "replications = 0: must be 1 to 100000"),
        (2.5, None, "replications = 2.5: must be a whole number"),
        (2, 0, "threads = 0: must be 1 to 100000"),
    ],
)
def test_bad_arguments_are_one_line(n, threads, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        replicate(SMALL, n, threads=threads)
    assert str(caught.value) == message
    with pytest.raises(RfcsimError, match="confidence = 1: must be between 0 and 1"):
        replicate(SMALL, 1).summary(confidence=1)


def test_an_unknown_cost_table_is_one_line() -> None:
    with pytest.raises(CostTableError, match="no table 'hdd-2011'"):
        replicate(SMALL.replace(costs="hdd-2011"), 2)


def test_no_thread_is_left_after_an_error() -> None:
    class Enough(Exception):
        pass

    def stop_at_once(_: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        replicate(SMALL, 50, threads=2, progress=stop_at_once)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rfcsim")]
