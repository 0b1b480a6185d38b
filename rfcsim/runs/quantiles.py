"""How sure a quantile is, by order statistics: of independent waits, and of dependent ones.

Of n independent observations, the number below the quantile q is binomial. Two of them, chosen by
rank, therefore enclose the quantile with a known probability, whatever their distribution. The
waits of one run are not independent: many stand in one queue. Replications are independent, and how
much the share of waits up to the quantile differs among them says how many independent waits all
the waits are worth: n divided by the design effect. The binomial is then that of this number, a
little reduced because the design effect has to be estimated.

Source: E. Korn and B. Graubard, "Confidence intervals for proportions with small expected number
of positive counts estimated from survey data", Survey Methodology 24, 1998, turned into bounds of a
quantile as in R. S. Woodruff, "Confidence intervals for medians and other position measures", 1952.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy import stats

from rfcsim.errors import RfcsimError
from rfcsim.histogram import bucket_bounds
from rfcsim.runs.statistics import axes_of, check_rows, check_share

_FOUND = {
    "q": pl.Float64(),
    "replications": pl.Int64(),
    "count": pl.Int64(),
    "quantile_ns": pl.Int64(),
    "low_ns": pl.Int64(),
    "high_ns": pl.Int64(),
    "design_effect": pl.Float64(),
}


class Bounds(NamedTuple):
    """A quantile of counted values, and its bounds, each given by its place in their order.

    Attributes
    ----------
    place : int
        The place of the quantile itself.
    low, high : int or None
        The places of its bounds; None where the data do not reach far enough for a bound.
    """

    place: int
    low: int | None
    high: int | None


def quantile_intervals(
    rows: pl.DataFrame,
    q: float | Sequence[float] = (0.99, 0.999),
    *,
    confidence: float = 0.95,
    independent: bool = False,
) -> pl.DataFrame:
    """Find the quantiles of all waits, holds or calls of a point together, with intervals.

    Parameters
    ----------
    rows : polars.DataFrame
        From `sweep`, or read back from its Parquet file; filtered as you like.
    q : float, or several
        Between 0 and 1.
    confidence : float
        Between 0 and 1. It holds for each interval by itself: of twenty at 0.95, one is expected to
        miss.
    independent : bool
        Take all observations to be independent, which is right only where no two can meet the same
        hold. If False, they count for what they are worth by the design effect.

    Returns
    -------
    polars.DataFrame
        One row per point, class, record and q: point, the columns of the grid, class, record, q,
        replications, count (of observations), quantile_ns, low_ns, high_ns, and design_effect: the
        variance, divided by what it would be for as many independent observations, so that
        count / design_effect is what they are worth. Times are ends of the histogram's buckets,
        so the interval is too wide by at most 1/32 (3.1 %) at each end. A bound is null where there
        are too few observations for one, as for p99.9 of a hundred waits. With one replication
        design_effect is null, and so are both bounds unless `independent` is true.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_rows(rows, confidence)
    several = [q] if isinstance(q, float | int | str) else list(q)
    if not several:
        raise RfcsimError("q is empty: must be one or more between 0 and 1")
    for share in several:
        check_share("q", share)
    low, high = bucket_bounds()
    keys = ["point", *axes_of(rows), "class", "record"]
    found = []
    together = rows.filter(pl.col("call").is_null() & pl.col("bucket_ns").list.len().gt(0))
    for names, group in together.group_by(keys, maintain_order=True):
        values, counts = _counts(group)
        bucket = np.searchsorted(high, values)
        longest = int(group["max_ns"].to_numpy().max())
        for share in several:
            bounds = quantile_bounds(counts, share, confidence, independent)
            found.append(
                (
                    *(*names, share, len(counts), int(counts.sum())),
                    min(int(values[bounds.place]), longest),
                    None if bounds.low is None else int(low[bucket[bounds.low]]),
                    None if bounds.high is None else min(int(values[bounds.high]), longest),
                    design_effect(counts, bounds.place),
                )
            )
    schema = {key: rows.schema[key] for key in keys} | _FOUND
    return pl.DataFrame(found, schema, orient="row")


def _counts(group: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The values that occur, int64[values], and how often in each replication: [r, values]."""
    long = group.select(pl.int_range(pl.len()).alias("row"), "bucket_ns", "bucket_count").explode(
        "bucket_ns", "bucket_count"
    )
    values, place = np.unique(long["bucket_ns"].to_numpy(), return_inverse=True)
    counts = np.zeros((len(group), len(values)), np.int64)
    counts[long["row"].to_numpy(), place] = long["bucket_count"].to_numpy()
    return values, counts


def quantile_bounds(
    counts: np.ndarray, q: float, confidence: float, independent: bool = False
) -> Bounds:
    """The quantile of the values of all replications together, and its bounds.

    Parameters
    ----------
    counts : int64[replications, values]
        How often each replication has each value, least value first; each value occurs somewhere.
    q, confidence : float
    independent : bool
        See `quantile_intervals`.
    """
    reached = counts.sum(axis=0).cumsum()
    n, replications = int(reached[-1]), len(counts)
    place = int(np.searchsorted(reached, max(1, np.ceil(q * n))))
    alpha = (1 - confidence) / 2
    if independent:
        # As in scipy.stats.quantile_test, but for counts: the ranks, from 0, of two observations.
        first, last = int(stats.binom.ppf(alpha, n, q)) - 1, int(stats.binom.isf(alpha, n, q))
        low = int(np.searchsorted(reached, first, side="right")) if first >= 0 else None
        high = int(np.searchsorted(reached, last, side="right")) if last < n else None
        return Bounds(place, low, high)
    if replications < 2:
        return Bounds(place, None, None)
    effect = design_effect(counts, place)
    if effect is None:  # no value lies beyond the quantile: how such values vary is unknown
        effect = n / replications
    worth = n / max(1.0, effect)
    worth *= min(1.0, stats.t.isf(alpha, n - 1) / stats.t.isf(alpha, replications - 1)) ** 2
    least = stats.beta.ppf(alpha, q * worth, (1 - q) * worth + 1)
    most = stats.beta.isf(alpha, q * worth + 1, (1 - q) * worth)
    low = int(np.searchsorted(reached, least * n)) if (1 - q) ** worth <= alpha else None
    high = int(np.searchsorted(reached, most * n)) if q**worth <= alpha else None
    return Bounds(place, low, high)


def design_effect(counts: np.ndarray, place: int) -> float | None:
    """The variance of the share of values up to a place, divided by that of independent values.

    None if there is one replication, or no value beyond that place.
    """
    replications = len(counts)
    of_all, below = counts.sum(axis=1), counts[:, : place + 1].sum(axis=1)
    share = below.sum() / of_all.sum()
    if replications < 2 or share == 1:
        return None
    variance = (below - share * of_all).var(ddof=1) * replications / of_all.sum() ** 2
    return float(variance / (share * (1 - share) / of_all.sum()))
