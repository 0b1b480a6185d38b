"""Intervals of means and pairs: those of SciPy, and they cover as often as they say."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from rfcsim.errors import RfcsimError
from rfcsim.runs.rows import ROW_SCHEMA
from rfcsim.runs.statistics import (
    mean_interval,
    mean_intervals,
    paired_differences,
    ratio_bounds,
    sweep_table,
)
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL

OVER = {"design": ["exclusive", "batched"], "batch_pages": [8, 64]}
ROWS = sweep(SMALL, OVER, replications=12, seed=2)
TRIALS = 4000


def within_chance(covered: int, confidence: float, trials: int = TRIALS) -> bool:
    """Whether this many hits fit the probability; wrongly not, once in ten thousand times."""
    low, high = stats.binom.interval(0.9999, trials, confidence)
    return bool(low <= covered <= high)


def figures(quantity: str, **where: object) -> np.ndarray:
    return ROWS.filter(**where)[quantity].cast(pl.Float64()).to_numpy()


# --- means ------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_a_mean_is_covered_as_often_as_the_interval_says(confidence: float, n: int) -> None:
    draws = np.random.default_rng(1).normal(100.0, 10.0, size=(TRIALS, n))
    covered = 0
    for sample in draws:
        _, low, high = mean_interval(sample, confidence)
        assert low is not None
        assert high is not None
        covered += low <= 100.0 <= high
    assert within_chance(covered, confidence)
    assert not within_chance(covered, confidence - 0.03)


def test_where_the_bootstrap_falls_short_t_does_not() -> None:
    """Why t: five replications, each the average of fifty skewed waits."""
    trials = 400
    draws = np.random.default_rng(2).exponential(1.0, size=(trials, 5, 50)).mean(axis=2)
    by_t = by_bootstrap = 0
    for sample in draws:
        _, low, high = mean_interval(sample, 0.95)
        assert low is not None
        assert high is not None
        by_t += low <= 1 <= high
        resampled = stats.bootstrap((sample,), np.mean, rng=np.random.default_rng(3))
        by_bootstrap += resampled.confidence_interval[0] <= 1 <= resampled.confidence_interval[1]
    assert within_chance(by_t, 0.95, trials)
    assert by_bootstrap < stats.binom.ppf(0.0001, trials, 0.95)


def test_the_intervals_of_a_sweep_are_those_of_scipy() -> None:
    found = mean_intervals(ROWS, ["mean_ns", "max_ns", "elapsed_ns"], confidence=0.9)
    assert found.columns == [
        *("point", "scenario", "design", "batch_pages", "class", "record", "call"),
        *("quantity", "replications", "mean", "low", "high"),
    ]
    groups = ROWS.select("point", "class", "record", "call").unique()
    assert len(found) == 3 * len(groups)
    for row in found.sample(40, seed=1).to_dicts():
        of_row = pl.all_horizontal(
            pl.col(key).eq_missing(pl.lit(row[key])) for key in ("point", "class", "record", "call")
        )
        values = ROWS.filter(of_row)[row["quantity"]].cast(pl.Float64()).to_numpy()
        assert row["replications"] == len(values) == 12
        assert row["mean"] == pytest.approx(values.mean())
        low = high = values.mean()
        if values.std() > 0:
            low, high = stats.ttest_1samp(values, 0).confidence_interval(0.9)
        assert (row["low"], row["high"]) == pytest.approx((max(0, low), high))


def test_rows_stand_in_the_order_of_the_sweep() -> None:
    found = mean_intervals(ROWS, ["p99_ns", "mean_ns"])
    assert found["quantity"].to_list()[:4] == ["p99_ns", "mean_ns"] * 2
    keys = ["point", "class", "record"]
    with_quantiles = ROWS.filter(pl.col("call").is_null())
    order = with_quantiles.select(keys).unique(maintain_order=True)
    p99 = found.filter(pl.col("quantity") == "p99_ns").select(keys)
    assert p99.equals(order)  # a single call has no p99, and no row for it


def test_what_is_not_known_is_null() -> None:
    one = mean_intervals(ROWS.filter(pl.col("replication") == 0), ["mean_ns"])
    assert one["mean"].null_count() == 0
    assert one["low"].drop_nulls().is_empty()
    assert one["high"].drop_nulls().is_empty()
    of_waits = mean_intervals(ROWS, ["waited"])
    assert of_waits["record"].str.starts_with("wait_").all()


# --- pairs ------------------------------------------------------------------------------------


def test_differences_are_those_of_the_paired_t_test() -> None:
    found = paired_differences(ROWS, "design", quantities=["mean_ns", "max_ns"], confidence=0.9)
    assert found.columns[:8] == [
        *("value", "other", "scenario", "batch_pages", "class", "record", "call", "quantity"),
    ]
    assert found["value"].unique().to_list() == ["batched"]
    victim = found.filter(
        **{"class": "victim", "record": "wait_shared", "quantity": "mean_ns", "batch_pages": 8}
    )
    where = {"class": "victim", "record": "wait_shared", "batch_pages": 8}
    batched = figures("mean_ns", design="batched", **where)
    exclusive = figures("mean_ns", design="exclusive", **where)
    row = victim.row(0, named=True)
    test = stats.ttest_rel(batched, exclusive).confidence_interval(0.9)
    assert row["replications"] == 12
    assert row["mean"] == pytest.approx(batched.mean())
    assert row["other_mean"] == pytest.approx(exclusive.mean())
    assert row["difference"] == pytest.approx((batched - exclusive).mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(test))
    assert row["ratio"] == pytest.approx(batched.mean() / exclusive.mean())
    assert row["ratio_high"] < 1  # the patch does help


def test_a_ratio_ends_where_the_t_test_begins_to_refuse_it() -> None:
    found = paired_differences(ROWS, "design", quantities=["total_ns"], confidence=0.9)
    row = found.filter(**{"class": "victim", "record": "call", "batch_pages": 64}).row(
        0, named=True
    )
    where = {"class": "victim", "record": "call", "batch_pages": 64}
    together = pl.col("call").is_null()
    one, two = (
        ROWS.filter(together, design=design, **where)["total_ns"].cast(pl.Float64()).to_numpy()
        for design in ("batched", "exclusive")
    )
    for bound in ("ratio_low", "ratio_high"):
        refused = stats.ttest_1samp(one - row[bound] * two, 0)[1]
        assert refused == pytest.approx(0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_ratios_and_differences_are_covered_as_often_as_they_say(correlation: float) -> None:
    n = 8
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    random = np.random.default_rng(4)
    pairs = random.multivariate_normal([6.0, 9.0], covariance, size=(TRIALS, n))
    means, deviations = pairs.mean(axis=1), pairs.std(axis=1, ddof=1)
    centred = pairs - means[:, None, :]
    low, high = ratio_bounds(
        np.full(TRIALS, n),
        (means[:, 0], means[:, 1]),
        (deviations[:, 0] ** 2, deviations[:, 1] ** 2),
        centred.prod(axis=2).sum(axis=1) / (n - 1),
        0.95,
    )
    assert within_chance(int(((low <= 2 / 3) & (high >= 2 / 3)).sum()), 0.95)
    assert not within_chance(int(((low <= 0.7) & (high >= 0.7)).sum()), 0.95)


def test_pairs_under_the_same_arrivals_say_more_than_two_samples() -> None:
    """What the arrivals do to both designs cancels out; the control has its own arrivals."""
    kinds = {"class": "victim", "record": "wait_shared", "batch_pages": 8}
    found = paired_differences(ROWS.filter(**kinds), "design", quantities=["mean_ns"])
    (row,) = found.rows(named=True)
    paired = row["difference_high"] - row["difference_low"]
    batched = figures("mean_ns", design="batched", **kinds)
    exclusive = figures("mean_ns", design="exclusive", **kinds)
    others = sweep(SMALL, OVER, replications=12, seed=3).filter(design="exclusive", **kinds)
    for values, test in (
        (exclusive, stats.ttest_ind),
        (others["mean_ns"].to_numpy(), stats.ttest_rel),
    ):
        low, high = test(batched, values).confidence_interval()
        assert paired < 0.6 * (high - low)


def test_all_pairs_or_those_with_a_baseline() -> None:
    rows = sweep(SMALL, {"batch_pages": [8, 32, 64]}, replications=2)

    def pairs(**options) -> list[tuple[int, int]]:
        found = paired_differences(rows, "batch_pages", quantities=["mean_ns"], **options)
        return found.select("value", "other").unique(maintain_order=True).rows()

    assert pairs() == [(32, 8), (64, 8), (64, 32)]
    assert pairs(baseline=32) == [(8, 32), (64, 32)]


def test_only_replications_that_have_both_are_pairs() -> None:
    uneven = ROWS.filter((pl.col("design") == "batched") | (pl.col("replication") > 2))
    found = paired_differences(uneven, "design", quantities=["mean_ns"])
    assert found["replications"].unique().to_list() == [9]
    expected = paired_differences(
        ROWS.filter(pl.col("replication") > 2), "design", quantities=["mean_ns"]
    )
    assert found.equals(expected)


def test_a_ratio_to_nothing_is_null() -> None:
    found = paired_differences(ROWS, "design", quantities=["p50_ns"])
    nothing = found.filter(pl.col("other_mean") == 0)
    assert len(nothing)
    for column in ("ratio", "ratio_low", "ratio_high"):
        assert nothing[column].drop_nulls().is_empty()
    one = paired_differences(ROWS.filter(pl.col("replication") == 0), "design")
    for column in ("difference_low", "difference_high", "ratio_low", "ratio_high"):
        assert one[column].drop_nulls().is_empty()


def test_a_ratio_to_what_may_be_nothing_has_no_bounds() -> None:
    low, high = ratio_bounds(
        np.array([4]),
        (np.array([5.0]), np.array([1.0])),
        (np.array([1.0]), np.array([4.0])),
        np.array([0.0]),
        0.95,
    )
    assert np.isnan(low[0])
    assert np.isnan(high[0])


# --- words, and bad input ---------------------------------------------------------------------


def test_the_table_says_it_in_words() -> None:
    table = sweep_table(ROWS)
    assert table.columns == [
        *("design", "batch_pages", "class", "waited for", "requests", "waited"),
        *("p50", "p99", "p99.9", "max"),
    ]
    waits = ROWS.filter(pl.col("record").str.starts_with("wait_"))
    assert len(table) == len(waits.select("point", "class", "record").unique())
    victim = table.row(1, named=True)
    assert (victim["class"], victim["waited for"]) == ("victim", "mmap_sem, shared")
    mean, _, margin = victim["max"].partition(" +- ")
    assert mean.endswith(" us")
    assert margin.endswith(" us")
    several = sweep_table(sweep([SMALL, SMALL.replace(name="other")], {}, replications=2))
    assert several["scenario"].unique(maintain_order=True).to_list() == ["small", "other"]
    nobody = sweep_table(ROWS.filter(pl.col("record") == "call"))
    assert nobody.is_empty()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_intervals(ROWS, confidence=1), "confidence = 1: must be between 0 and 1"),
        (lambda: mean_intervals(ROWS, []), "quantities is empty: must be one or more"),
        (
            lambda: mean_intervals(ROWS, ["p9_ns"]),
            'quantities: "p9_ns": did you mean p99_ns?',
        ),
        (
            lambda: mean_intervals(ROWS.drop("record")),
            "rows: must be of a sweep, but there is no column record",
        ),
        (lambda: sweep_table(ROWS.clear()), "rows: must be at least one, but there is none"),
        (
            lambda: paired_differences(ROWS, "desing"),
            'axis = "desing": must be a column of the grid; did you mean design?',
        ),
        (
            lambda: paired_differences(ROWS, "scenario"),
            'axis = "scenario": has one value in these rows, must have two',
        ),
        (
            lambda: paired_differences(ROWS, "batch_pages", baseline=9),
            "baseline = 9: must be one of 8, 64",
        ),
    ],
)
def test_bad_arguments_are_one_line(call, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        call()
    assert str(caught.value) == message


def test_rows_that_were_read_back_are_as_good(tmp_path) -> None:
    file = tmp_path / "rows.parquet"
    ROWS.write_parquet(file)
    assert mean_intervals(pl.read_parquet(file)).equals(mean_intervals(ROWS))
    assert set(ROW_SCHEMA) <= set(pl.read_parquet(file).columns)
