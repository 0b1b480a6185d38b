"""What a sweep keeps of each run: rows of numbers on the worker, a frame where they arrive."""

import itertools
from typing import NamedTuple

import numpy as np
import polars as pl

from rfcsim.clock.layout import (
    CALL_COUNT,
    CALL_FAILED,
    CALL_MAX_NS,
    CALL_SUM_NS,
    N_RECORDS,
    REC_CALL,
    REC_WAIT_EXCLUSIVE,
    REC_WAIT_SHARED,
    RECORD_NAMES,
    STAT_COUNT,
    STAT_MAX,
    STAT_SUM,
)
from rfcsim.experiment.grid import Grid
from rfcsim.experiment.result import Result
from rfcsim.histogram import N_BUCKETS, bucket_bounds
from rfcsim.model.layout import CALL_NAMES
from rfcsim.version import __version__

QUANTILES = {"p50_ns": 0.5, "p99_ns": 0.99, "p999_ns": 0.999}

# The columns of a sweep's frame behind `point`, `scenario` and one a grid axis.
ROW_SCHEMA: dict[str, pl.DataType] = {
    "seed": pl.Int64(),
    "replication": pl.Int64(),
    "class": pl.String(),
    "record": pl.String(),
    "call": pl.String(),
    "count": pl.Int64(),
    "waited": pl.Int64(),
    "failed": pl.Int64(),
    "mean_ns": pl.Float64(),
    "p50_ns": pl.Int64(),
    "p99_ns": pl.Int64(),
    "p999_ns": pl.Int64(),
    "max_ns": pl.Int64(),
    "total_ns": pl.Int64(),
    "elapsed_ns": pl.Int64(),
    "bucket_ns": pl.List(pl.Int64()),
    "bucket_count": pl.List(pl.Int64()),
    "fingerprint": pl.String(),
    "version": pl.String(),
}

# Columns of the numbers that a worker sends; NONE stands for null.
N_RUN, N_CLASS, N_RECORD, N_CALL, N_COUNT, N_WAITED, N_FAILED = range(7)
N_QUANTILES = 7
N_MAX, N_TOTAL, N_ELAPSED, N_LISTED, N_SIZE = range(N_QUANTILES + len(QUANTILES), 15)
NONE = -1


class Numbers(NamedTuple):
    """Rows of some runs, as arrays that travel well.

    Attributes
    ----------
    rows : int64[rows, N_SIZE]
        In the order of runs, classes, records and calls.
    buckets : int64[buckets, 2]
        Number and count of every bucket with an entry, row after row: N_LISTED of them a row.
    """

    rows: np.ndarray
    buckets: np.ndarray

    @classmethod
    def together(cls, several: list["Numbers"]) -> "Numbers":
        """One after another."""
        return cls(
            np.concatenate([np.empty((0, N_SIZE), np.int64), *(one.rows for one in several)]),
            np.concatenate([np.empty((0, 2), np.int64), *(one.buckets for one in several)]),
        )


class Recorded(NamedTuple):
    """What the recorders of one run hold, and nothing that the next one writes over.

    Attributes
    ----------
    elapsed_ns : int
    statistics : int64[classes, N_RECORDS, N_STATS]
    calls : int64[classes, N_CALLS, N_CALL_STATS]
    filled : int64[filled buckets]
        Where in the flat array of all histograms there is an entry: almost nowhere.
    counts : int64[filled buckets]
    """

    elapsed_ns: int
    statistics: np.ndarray
    calls: np.ndarray
    filled: np.ndarray
    counts: np.ndarray


def recorded(result: Result) -> Recorded:
    """Take from a run what its rows are made of."""
    statistics, histograms, calls = result.recorded()
    flat = histograms.ravel()
    filled = np.flatnonzero(flat != 0)
    return Recorded(result.elapsed_ns, statistics.copy(), calls.copy(), filled, flat[filled])


def numbers_of(first_run: int, several: list[Recorded]) -> Numbers:
    """The rows of runs that follow one another: of each class and record, and class and call.

    All runs are taken at once, which takes hardly longer than one.
    """
    done, run = [], first_run
    for _, alike in itertools.groupby(several, key=lambda one: one.statistics.shape):
        group = list(alike)
        done.append(_numbers(run, group))
        run += len(group)
    return Numbers.together(done)


def _numbers(first_run: int, several: list[Recorded]) -> Numbers:
    """The rows of runs with as many classes each."""
    statistics = np.stack([one.statistics for one in several])
    calls = np.stack([one.calls for one in several])
    histograms = statistics[0, :, :, 0].size
    of_bucket = np.repeat(np.arange(len(several)), [len(one.filled) for one in several])
    cell, bucket = np.divmod(np.concatenate([one.filled for one in several]), N_BUCKETS)
    cell += of_bucket * histograms
    counts = np.concatenate([one.counts for one in several])

    run, name, what = np.nonzero(statistics[..., STAT_COUNT])
    entries = statistics[run, name, what]
    cells = (run * statistics.shape[1] + name) * N_RECORDS + what
    records = np.full((len(run), N_SIZE), NONE, np.int64)
    records[:, N_RUN], records[:, N_CLASS], records[:, N_RECORD] = run, name, what
    records[:, N_COUNT] = entries[:, STAT_COUNT]
    records[:, N_TOTAL] = entries[:, STAT_SUM]
    records[:, N_MAX] = entries[:, STAT_MAX]
    zeros = np.zeros(len(several) * histograms, np.int64)
    zeros[cell[bucket == 0]] = counts[bucket == 0]
    waits = (what == REC_WAIT_SHARED) | (what == REC_WAIT_EXCLUSIVE)
    records[waits, N_WAITED] = (entries[:, STAT_COUNT] - zeros[cells])[waits]
    made = what == REC_CALL
    records[made, N_FAILED] = calls[run[made], name[made], :, CALL_FAILED].sum(axis=1)
    records[:, N_QUANTILES:N_MAX] = _quantiles(bucket, counts, entries)
    records[:, N_LISTED] = np.bincount(cell, minlength=len(zeros))[cells]

    run, name, call = np.nonzero(calls[..., CALL_COUNT])
    of_calls = np.full((len(run), N_SIZE), NONE, np.int64)
    of_calls[:, N_RUN], of_calls[:, N_CLASS], of_calls[:, N_CALL] = run, name, call
    of_calls[:, N_RECORD] = REC_CALL
    for column, source in (
        (N_COUNT, CALL_COUNT),
        (N_FAILED, CALL_FAILED),
        (N_TOTAL, CALL_SUM_NS),
        (N_MAX, CALL_MAX_NS),
    ):
        of_calls[:, column] = calls[run, name, call, source]
    of_calls[:, N_LISTED] = 0

    rows = np.concatenate([records, of_calls])
    order = (rows[:, column] for column in (N_CALL, N_RECORD, N_CLASS, N_RUN))
    rows = rows[np.lexsort(tuple(order))]
    rows[:, N_ELAPSED] = np.array([one.elapsed_ns for one in several])[rows[:, N_RUN]]
    rows[:, N_RUN] += first_run
    # Records keep their order when calls come between them, and so do their buckets.
    return Numbers(rows, np.column_stack([bucket, counts]))


def _quantiles(bucket: np.ndarray, counts: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """QUANTILES of each histogram as `Result.quantile` gives them: int64[records, quantiles].

    Parameters
    ----------
    bucket, counts : int64[filled buckets]
        Of all histograms, one after another.
    entries : int64[records, N_STATS]
    """
    _, high = bucket_bounds()
    total = entries[:, STAT_COUNT]
    before = total.cumsum() - total
    ranks = np.maximum(1, np.ceil(np.outer(total, list(QUANTILES.values()))).astype(np.int64))
    found = np.searchsorted(counts.cumsum(), before[:, None] + ranks)
    return np.minimum(high[bucket[found]], entries[:, STAT_MAX, None])


def frame_of(numbers: Numbers, grid: Grid, replications: int, seed: int) -> pl.DataFrame:
    """The frame of a sweep's rows; see `rfcsim.sweep`.

    Parameters
    ----------
    numbers : Numbers
        Of runs that are numbered point by point, replication by replication.
    """
    rows = numbers.rows
    point, replication = np.divmod(rows[:, N_RUN], replications)
    classes, first = [], [0]
    for place in grid.points:
        classes += [group.name for group in place.scenario.tasks]
        first.append(len(classes))
    values = grid.frame().with_columns(
        fingerprint=pl.Series([place.fingerprint for place in grid.points], dtype=pl.String())
    )
    numbered = {
        name: pl.Series(rows[:, column])
        for name, column in {
            "count": N_COUNT,
            "waited": N_WAITED,
            "failed": N_FAILED,
            "max_ns": N_MAX,
            "total_ns": N_TOTAL,
            "elapsed_ns": N_ELAPSED,
        }.items()
    } | {name: pl.Series(rows[:, N_QUANTILES + i]) for i, name in enumerate(QUANTILES)}
    frame = pl.DataFrame(numbered).with_columns(
        pl.all().replace(NONE, None), mean_ns=pl.col("total_ns") / pl.col("count")
    )
    frame = frame.with_columns(
        pl.Series("point", point),
        *values.select(pl.all().gather(point)).get_columns(),
        pl.lit(seed, pl.Int64()).alias("seed"),
        pl.Series("replication", replication),
        pl.Series("class", classes, pl.String()).gather(
            np.array(first, np.int64)[point] + rows[:, N_CLASS]
        ),
        pl.Series("record", RECORD_NAMES).gather(rows[:, N_RECORD]),
        pl.Series("call", [*CALL_NAMES, None]).gather(
            np.where(rows[:, N_CALL] == NONE, len(CALL_NAMES), rows[:, N_CALL])
        ),
        pl.lit(__version__).alias("version"),
        *_buckets(numbers).get_columns(),
    )
    return frame.select("point", *grid.axes, *ROW_SCHEMA)


def _buckets(numbers: Numbers) -> pl.DataFrame:
    """The histogram of each row: upper ends (inclusive) and counts; null for a single call's."""
    _, high = bucket_bounds()
    filled = numbers.rows[:, N_LISTED]
    entries = pl.DataFrame(
        {
            "row": np.repeat(np.arange(len(filled)), filled),
            "bucket_ns": high[numbers.buckets[:, 0]],
            "bucket_count": numbers.buckets[:, 1],
        }
    )
    lists = entries.group_by("row", maintain_order=True).agg(pl.all())
    every = pl.DataFrame({"row": np.arange(len(filled))})
    return every.join(lists, on="row", how="left", maintain_order="left").drop("row")


def order_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows as one run after another of the grid gives them, whenever each arrived."""
    return frame.sort("point", "replication", maintain_order=True).rechunk()
