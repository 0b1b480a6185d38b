"""Figures of a calibration: a median, and how sure it is."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import quantile_test

CONFIDENCE = 0.95


class Figure(NamedTuple):
    """A median over repetitions or runs, in ns.

    Attributes
    ----------
    value : float
        The median.
    low, high : float
        Order statistics between which the true median lies with 95 % certainty; with fewer than six
        figures, the least and the largest.
    figures : tuple of float
        All figures, in order.
    """

    value: float
    low: float
    high: float
    figures: tuple[float, ...]

    def less(self, ns: float) -> "Figure":
        """The figure less `ns`, but not below 0."""
        return self._changed(lambda number: max(0.0, number - ns))

    def over(self, number: float) -> "Figure":
        """The figure divided by `number`."""
        return self._changed(lambda whole: whole / number)

    def _changed(self, change: Callable[[float], float]) -> "Figure":
        figures = tuple(map(change, self.figures))
        return Figure(change(self.value), change(self.low), change(self.high), figures)


def figure(values: Iterable[float]) -> Figure | None:
    """The median of some values with its interval; None if there are none.

    The interval assumes no distribution: the number of values below the true median is binomial
    with p = 1/2.
    """
    ordered = tuple(sorted(map(float, values)))
    if not ordered:
        return None
    found = quantile_test(ordered, p=0.5).confidence_interval(CONFIDENCE)
    low = ordered[0] if np.isnan(found.low) else float(found.low)  # NaN: too few for a bound
    high = ordered[-1] if np.isnan(found.high) else float(found.high)
    return Figure(float(np.median(ordered)), low, high, ordered)


def per_page(records: pl.DataFrame) -> Figure | None:
    """How long a page takes, from one figure per record."""
    covered = records.filter(pl.col("covered_pages") > 0)
    return figure(covered["sum_ns"] / covered["covered_pages"])


def typical(records: pl.DataFrame) -> Figure | None:
    """How long an operation typically takes, from the median of each record's histogram.

    A median is the middle of the bucket that holds it, and so off by 1.6 % at most.
    """
    return figure(float(np.median(entries(row))) for row in records.iter_slices(1))


def entries(records: pl.DataFrame) -> np.ndarray:
    """Every entry of the histograms of some records, in ns: the middle of its bucket."""
    buckets = records["histogram"].list.explode().struct.unnest()
    middle = (buckets["low_ns"] + buckets["high_ns"]) / 2
    return np.repeat(middle.to_numpy(), buckets["count"].to_numpy())
