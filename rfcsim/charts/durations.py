"""The durations that a chart shows, one histogram for each line or row."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.trace.frame import lock_intervals
from rfcsim.words import count, percent

WAITS = ("wait_shared", "wait_exclusive")
HOLDS = ("hold_shared", "hold_exclusive")
_NOUNS = {
    "wait_shared": "shared wait",
    "wait_exclusive": "exclusive wait",
    "hold_shared": "shared hold",
    "hold_exclusive": "exclusive hold",
    "call": "call",
    "round": "round",
}


class Durations(NamedTuple):
    """The durations of one class of task and one record, as a histogram."""

    name: str
    record: str
    buckets: pl.DataFrame  # low_ns, high_ns, count; sorted, no count is 0
    total: int
    zeros: int

    @property
    def number(self) -> str:
        """ "1,204 exclusive waits"."""
        return count(self.total, _NOUNS[self.record])

    @property
    def counted(self) -> str:
        """ "1,204 exclusive waits, 37 % zero"."""
        share = f", {percent(self.zeros / self.total)} zero" if self.zeros else ""
        return self.number + share

    @property
    def longest_ns(self) -> int:
        return self.buckets["high_ns"][-1]

    @property
    def longest(self) -> str:
        """ "8.46 ms", or "at most 8.46 ms" if only a bucket of some width is known."""
        known = self.buckets["low_ns"][-1] == self.longest_ns
        return ("" if known else "at most ") + human(self.longest_ns)

    @property
    def median_ns(self) -> int:
        reached = self.buckets["count"].cum_sum()
        return self.buckets["high_ns"][reached.search_sorted((self.total + 1) // 2)]


def durations(
    chart: str, frame: pl.DataFrame, records: Sequence[str], *, most: int
) -> list[Durations]:
    """Split a frame into the durations that are drawn separately.

    Parameters
    ----------
    chart : str
        The name of the chart, for error messages.
    frame : polars.DataFrame
        A histogram, an event frame or intervals, as `survival` describes them.
    records : sequence of str
        Which records to take.
    most : int
        How many of them the chart can show.

    Returns
    -------
    list of Durations
        In the order of the frame.

    Raises
    ------
    RfcsimError
        If a record is unknown, nothing lasts longer than zero, or there are too many.
    """
    unknown = [record for record in records if record not in _NOUNS]
    if unknown:
        raise RfcsimError(f"records: no {unknown[0]!r}, allowed are {', '.join(_NOUNS)}")
    histogram = frame if "low_ns" in frame.columns else _histogram(frame)
    histogram = histogram.filter(pl.col("record").is_in(list(records)), pl.col("count") > 0)
    keys = [key for key in ("run", "class", "record") if key in histogram.columns]
    # A name says only what differs. The record is said with the numbers.
    telling = [key for key in keys[:-1] if histogram[key].n_unique() > 1] or ["class"]
    series = []
    for values, buckets in histogram.group_by(keys, maintain_order=True):
        of = dict(zip(keys, values, strict=True))
        series.append(
            Durations(
                name=", ".join(str(of[key]) for key in telling),
                record=str(of["record"]),
                # Only a bucket that reaches beyond zero is drawn, on an axis that has no zero.
                buckets=buckets.select(
                    pl.max_horizontal("low_ns", pl.min_horizontal("high_ns", 1)),
                    "high_ns",
                    "count",
                ).sort("low_ns"),
                total=int(buckets["count"].sum()),
                zeros=int(buckets.filter(pl.col("high_ns") == 0)["count"].sum()),
            )
        )
    if all(each.longest_ns == 0 for each in series):
        raise RfcsimError(f"{chart}: nothing of {', '.join(records)} lasted longer than zero")
    if len(series) > most:
        raise RfcsimError(f"{chart}: {len(series)} classes and records, at most {most} are drawn")
    return series


def _histogram(frame: pl.DataFrame) -> pl.DataFrame:
    """Count intervals, in a bucket for each length that occurs."""
    intervals = frame if "state" in frame.columns else lock_intervals(frame, zero_waits=True)
    length_ns = pl.col("end_ns") - pl.col("start_ns")
    kind = pl.when(pl.col("state") == "waiting").then(pl.lit("wait")).otherwise(pl.lit("hold"))
    return intervals.group_by(
        "class",
        record=pl.format("{}_{}", kind, "mode"),
        low_ns=length_ns,
        high_ns=length_ns,
        maintain_order=True,
    ).agg(count=pl.len().cast(pl.Int64))


def noun_of(records: Sequence[str]) -> str:
    """What the records have in common: "wait", "hold", "call", "round", or else "time"."""
    kinds = {record.partition("_")[0] for record in records}
    return kinds.pop() if len(kinds) == 1 else "time"
