"""How sure the figures of a sweep are: intervals of means, and comparisons in pairs.

The unit of observation is the replication. Waits within one run depend on one another: all tasks
that queue behind a long hold wait together. An interval that counts each of their waits as
independent evidence is too narrow, often by several times. Replications are independent by
construction, so an interval here rests on how figures differ from replication to replication.

The intervals are Student's t, not the bootstrap's. From five to thirty replications, the
bootstrap's intervals are too short, while t intervals of averages over a run are not; and t needs
no random numbers of its own.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy import stats

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.runs.rows import ROW_SCHEMA
from rfcsim.scenario.explain import did_you_mean, show

TIMES = ("mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns", "total_ns")
QUANTITIES = (*TIMES, "count", "waited", "failed", "elapsed_ns")
KINDS = ("class", "record", "call")


class Interval(NamedTuple):
    """An estimate between two bounds; a bound is None where the data do not give one."""

    estimate: float
    low: float | None
    high: float | None


def mean_interval(values: np.ndarray, confidence: float) -> Interval:
    """The mean of independent times and its t interval; a single time has no bounds.

    Parameters
    ----------
    values : float64[n]
        At least one, none negative.
    confidence : float
        How often such an interval covers the true mean, if means of n values are about normal.
    """
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, None, None)
    low, high = t_bounds(len(values), mean, values.std(ddof=1), confidence)
    return Interval(mean, max(0.0, float(low)), float(high))


def t_bounds(
    n: np.ndarray | int, mean: np.ndarray | float, deviation: np.ndarray | float, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of means of n figures with given standard deviations; NaN where n is 1."""
    half = stats.t.isf((1 - confidence) / 2, np.asarray(n) - 1) * deviation / np.sqrt(n)
    return mean - half, mean + half


def ratio_bounds(
    n: np.ndarray,
    means: tuple[np.ndarray, np.ndarray],
    variances: tuple[np.ndarray, np.ndarray],
    covariance: np.ndarray,
    confidence: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the ratio of two means, each of n figures that come in pairs.

    Between the bounds lie the ratios r for which a paired t test of ``above - r * below`` against 0
    is not significant. They are NaN where r has no bounds, because the mean below may be 0.
    Source: E. C. Fieller, "Some problems in interval estimation", 1954.

    Parameters
    ----------
    n : int64[...]
    means, variances : pairs of float64[...]
        Each is a pair: of the figures above, and of those below.
    covariance : float64[...]
    """
    t2 = stats.t.isf((1 - confidence) / 2, n - 1) ** 2 / n
    # (above - r below)^2 <= t^2 (variance of it) / n is a quadratic inequality in r.
    a = means[1] ** 2 - t2 * variances[1]
    b = means[0] * means[1] - t2 * covariance
    c = means[0] ** 2 - t2 * variances[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(np.maximum(0.0, b**2 - a * c))
        low, high = (b - half) / a, (b + half) / a
    return np.where(a > 0, low, np.nan), np.where(a > 0, high, np.nan)


def mean_intervals(
    rows: pl.DataFrame, quantities: Sequence[str] = TIMES, confidence: float = 0.95
) -> pl.DataFrame:
    """Average each figure of a sweep over its replications, with a t interval.

    The average of p99_ns is what the p99 of one run is on average, not the p99 of all waits; for
    that, see `quantile_intervals`.

    Parameters
    ----------
    rows : polars.DataFrame
        From `sweep`, or read back from its Parquet file; filtered as you like.
    quantities : sequence of str
        Columns of the rows: times, count, waited, failed, elapsed_ns.
    confidence : float
        Between 0 and 1. It holds for each interval by itself: of twenty at 0.95, one is expected to
        miss.

    Returns
    -------
    polars.DataFrame
        One row per point, class, record, call and quantity: point, the columns of the grid, class,
        record, call, quantity, replications (those that have it), mean, low, high. Times are in ns.
        With one replication, low and high are null. low is never negative.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_rows(rows, confidence)
    _check_quantities(quantities)
    keys = ["point", *axes_of(rows), *KINDS]
    groups = rows.group_by(keys, maintain_order=True)
    found = _stack(
        groups.agg(
            pl.lit(name).alias("quantity"),
            replications=pl.col(name).count().cast(pl.Int64()),
            mean=pl.col(name).mean().cast(pl.Float64()),
            deviation=pl.col(name).cast(pl.Float64()).std(),
        )
        for name in quantities
    )
    n, mean, deviation = (found[name].to_numpy() for name in ("replications", "mean", "deviation"))
    low, high = t_bounds(n, mean, deviation, confidence)
    return found.drop("deviation").with_columns(
        low=_figures(np.maximum(0.0, low)), high=_figures(high)
    )


def sweep_table(rows: pl.DataFrame) -> pl.DataFrame:
    """Who waited for what at each point of a sweep, in words: means with 95 % intervals.

    Parameters
    ----------
    rows : polars.DataFrame
        From `sweep`, or read back from its Parquet file; filtered as you like.

    Returns
    -------
    polars.DataFrame
        One row per point, class of task and mode: the columns of the grid (without the scenario, if
        there is only one), class, waited for, requests, waited, p50, p99, p99.9, max.
    """
    check_rows(rows, 0.95)
    several = rows["scenario"].n_unique() > 1
    shown = [axis for axis in axes_of(rows) if several or axis != "scenario"]
    waits = rows.filter(pl.col("record").str.starts_with("wait_"))
    keys = ["point", *shown, "class", "record"]
    asked = waits.group_by(keys, maintain_order=True).agg(pl.col("count", "waited").mean())
    if waits.is_empty():
        return asked.drop("point")
    cells = mean_intervals(waits, ("p50_ns", "p99_ns", "p999_ns", "max_ns")).with_columns(
        cell=pl.struct("mean", "low", "high").map_elements(with_margin, pl.String())
    )
    words = cells.pivot("quantity", index=keys, values="cell")
    return asked.join(words, on=keys, nulls_equal=True, maintain_order="left").select(
        *shown,
        "class",
        pl.format("mmap_sem, {}", pl.col("record").str.strip_prefix("wait_")).alias("waited for"),
        pl.col("count").round(1).alias("requests"),
        pl.col("waited").round(1),
        *(
            pl.col(f"{name}_ns").alias(title)
            for name, title in {"p50": "p50", "p99": "p99", "p999": "p99.9", "max": "max"}.items()
        ),
    )


def with_margin(interval: dict[str, float | None]) -> str:
    """A mean and half of its interval, in words; `interval` has mean, low and high."""
    mean, high = interval["mean"], interval["high"]
    if mean is None:
        return ""
    if high is None or high == mean:
        return human(mean)
    return f"{human(mean)} +- {human(high - mean)}"


def paired_differences(
    rows: pl.DataFrame,
    axis: str,
    *,
    baseline: object = None,
    quantities: Sequence[str] = TIMES,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Compare the values of one axis of a sweep in pairs, all else being equal.

    In a replication, both runs of a pair met the same arrivals. What the arrivals do to both is not
    in their difference, so its interval is narrower.

    Parameters
    ----------
    rows : polars.DataFrame
        From `sweep`, or read back from its Parquet file; filtered as you like.
    axis : str
        A column of the grid, such as "design".
    baseline : optional
        One of its values. Every other value is compared with it; by default, all with all.
    quantities, confidence
        See `mean_intervals`.

    Returns
    -------
    polars.DataFrame
        One row per pair of values, point of the other axes, class, record, call and quantity:
        value, other, the other columns of the grid, class, record, call, quantity, replications
        (those that have both), mean, other_mean, difference (value minus other), difference_low,
        difference_high, ratio (value divided by other), ratio_low, ratio_high. Times are in ns.
        What cannot be said is null: every bound with one replication, a ratio to 0, and the bounds
        of a ratio to a mean that may be 0.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_rows(rows, confidence)
    _check_quantities(quantities)
    axes = axes_of(rows)
    if axis not in axes:
        raise RfcsimError(
            f"axis = {show(axis)}: must be a column of the grid; {did_you_mean(axis, axes)}"
        )
    keys = [name for name in axes if name != axis] + list(KINDS)
    found = pl.concat(
        _pair(rows, axis, value, other, keys, quantities)
        for value, other in _pairs(rows[axis].unique(maintain_order=True).to_list(), axis, baseline)
    )
    column = {name: found[name].to_numpy() for name in found.columns if name not in keys}
    n, means = column["replications"], (column["mean"], column["other_mean"])
    low, high = t_bounds(n, column["difference"], column["deviation"], confidence)
    ratio_low, ratio_high = ratio_bounds(
        n, means, (column["variance"], column["other_variance"]), column["covariance"], confidence
    )
    ratio = np.divide(*means, out=np.full(len(n), np.nan), where=means[1] != 0)
    return found.select(
        *("value", "other", *keys, "quantity", "replications", "mean", "other_mean", "difference"),
        difference_low=_figures(low),
        difference_high=_figures(high),
        ratio=_figures(ratio),
        ratio_low=_figures(ratio_low),
        ratio_high=_figures(ratio_high),
    )


def _pairs(values: list[object], axis: str, baseline: object) -> list[tuple[object, object]]:
    if len(values) < 2:
        raise RfcsimError(f"axis = {show(axis)}: has one value in these rows, must have two")
    if baseline is None:
        return [(later, earlier) for earlier, later in combinations(values, 2)]
    if baseline not in values:
        known = ", ".join(map(show, values))
        raise RfcsimError(f"baseline = {show(baseline)}: must be one of {known}")
    return [(value, baseline) for value in values if value != baseline]


def _pair(
    rows: pl.DataFrame,
    axis: str,
    value: object,
    other: object,
    keys: list[str],
    quantities: Sequence[str],
) -> pl.DataFrame:
    """The moments of both values of a pair, over the replications that have both."""
    both = rows.filter(pl.col(axis).eq_missing(pl.lit(value))).join(
        rows.filter(pl.col(axis).eq_missing(pl.lit(other))),
        on=[*keys, "seed", "replication"],
        nulls_equal=True,
        maintain_order="left",
        suffix=" of other",
    )
    groups = both.group_by(keys, maintain_order=True)
    moments = []
    for name in quantities:
        # A figure that only one of them has makes no pair.
        there = pl.col(name).is_not_null() & pl.col(f"{name} of other").is_not_null()
        one = pl.col(name).cast(pl.Float64()).filter(there)
        two = pl.col(f"{name} of other").cast(pl.Float64()).filter(there)
        moments.append(
            groups.agg(
                pl.lit(name).alias("quantity"),
                replications=one.count().cast(pl.Int64()),
                mean=one.mean(),
                other_mean=two.mean(),
                difference=(one - two).mean(),
                deviation=(one - two).std(),
                variance=one.var(),
                other_variance=two.var(),
                covariance=pl.cov(one, two),
            )
        )
    return _stack(moments).select(
        pl.lit(value, rows.schema[axis]).alias("value"),
        pl.lit(other, rows.schema[axis]).alias("other"),
        pl.all(),
    )


def _stack(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Put together one frame per quantity, row by row, without rows that have no replication."""
    numbered = [frame.with_row_index("place") for frame in frames]
    stacked = pl.concat(numbered).sort("place", maintain_order=True).drop("place")
    return stacked.filter(pl.col("replications") > 0)


def axes_of(rows: pl.DataFrame) -> list[str]:
    """The names of the columns of the grid, scenario first."""
    return [name for name in rows.columns if name != "point" and name not in ROW_SCHEMA]


def check_rows(rows: pl.DataFrame, confidence: float) -> None:
    """Refuse rows that are not of a sweep, and a confidence that is not between 0 and 1."""
    missing = [name for name in ("point", *ROW_SCHEMA) if name not in rows.columns]
    if missing:
        raise RfcsimError(f"rows: must be of a sweep, but there is no column {missing[0]}")
    if not len(rows):
        raise RfcsimError("rows: must be at least one, but there is none")
    check_share("confidence", confidence)


def check_share(name: str, value: float) -> None:
    """Refuse a value that is not between 0 and 1."""
    if not isinstance(value, int | float) or not 0 < value < 1:
        raise RfcsimError(f"{name} = {show(value)}: must be between 0 and 1")


def _check_quantities(quantities: Sequence[str]) -> None:
    if not quantities:
        raise RfcsimError("quantities is empty: must be one or more")
    for name in quantities:
        if name not in QUANTITIES:
            raise RfcsimError(f"quantities: {show(name)}: {did_you_mean(name, QUANTITIES)}")


def _figures(values: np.ndarray) -> pl.Series:
    """Figures for a column; NaN means not known, and becomes null."""
    return pl.Series(values, dtype=pl.Float64()).fill_nan(None)
