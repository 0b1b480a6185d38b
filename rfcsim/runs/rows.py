"""What a sweep keeps of each run: rows of numbers on the worker, a frame where they arrive."""

from typing import NamedTuple

import numpy as np
import polars as pl

from rfcsim.clock.layout import field, sheet, span
from rfcsim.clock.machine import Machine
from rfcsim.histogram import N_BUCKETS, bucket_bounds
from rfcsim.model.layout import call
from rfcsim.runs.grid import Grid
from rfcsim.version import __version__

# "p50_ns", "p99_ns", "p999_ns": the columns of the quantiles, with the share of each.
QUANTILES = {f"p{f'{share:g}'[2:].ljust(2, '0')}_ns": share for share in field.SHARES}

# The columns of a sweep's frame after `point`, `scenario` and one for each axis of the grid.
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
    **dict.fromkeys(QUANTILES, pl.Int64()),
    "max_ns": pl.Int64(),
    "total_ns": pl.Int64(),
    "elapsed_ns": pl.Int64(),
    "bucket_ns": pl.List(pl.Int64()),
    "bucket_count": pl.List(pl.Int64()),
    "fingerprint": pl.String(),
    "version": pl.String(),
}
ROW_RUN = field.REPLICATION  # once a sheet has been taken; see `Numbers`

# Room on a sheet beyond what one run may need: enough for about a hundred small runs.
SHEET_ROWS = 1 << 13
SHEET_BUCKETS = 1 << 16


class Numbers(NamedTuple):
    """The rows of some runs, as arrays that travel well between processes.

    Attributes
    ----------
    rows : int64[rows, field.SIZE]
        In the order of runs, classes, records and calls. The number of the run, ROW_RUN, stands in
        place of its replication.
    buckets : int64[buckets, 2]
        Number and count of every bucket with an entry, row after row; a row has field.LISTED.
    """

    rows: np.ndarray
    buckets: np.ndarray

    @classmethod
    def together(cls, several: list["Numbers"]) -> "Numbers":
        """The rows of several, one after another."""
        return cls(
            np.concatenate([np.empty((0, field.SIZE), np.int64), *(one.rows for one in several)]),
            np.concatenate([np.empty((0, 2), np.int64), *(one.buckets for one in several)]),
        )


class Sheet(NamedTuple):
    """What `rfcsim.clock.replicate` writes rows on."""

    rows: np.ndarray
    buckets: np.ndarray
    filled: np.ndarray

    @classmethod
    def for_runs_of(cls, machine: Machine) -> "Sheet":
        """A sheet with room for the rows of at least one run, whatever it records."""
        classes = len(machine.statistics)
        return cls(
            np.empty((SHEET_ROWS + classes * (span.KINDS + call.COUNT), field.SIZE), np.int64),
            np.empty((SHEET_BUCKETS + classes * span.KINDS * N_BUCKETS, 2), np.int64),
            np.zeros(2, np.int64),
        )

    def take(self, first_run: int) -> Numbers:
        """Take what is on the sheet and empty it; `first_run` is the number of replication 0."""
        numbers = Numbers(
            self.rows[: self.filled[sheet.FILLED]].copy(),
            self.buckets[: self.filled[sheet.LISTED]].copy(),
        )
        numbers.rows[:, ROW_RUN] += first_run
        self.filled[:] = 0
        return numbers


def frame_of(numbers: Numbers, grid: Grid, replications: int, seed: int) -> pl.DataFrame:
    """The frame of a sweep's rows; see `rfcsim.sweep`.

    Parameters
    ----------
    numbers : Numbers
        The rows of runs that are numbered point by point, replication by replication.
    """
    rows = numbers.rows
    point, replication = np.divmod(rows[:, ROW_RUN], replications)
    classes, first_class = grid.classes
    values = grid.frame().with_columns(fingerprint=grid.fingerprints)
    numbered = {
        name: pl.Series(rows[:, column])
        for name, column in {
            "count": field.COUNT,
            "waited": field.WAITED,
            "failed": field.FAILED,
            "max_ns": field.MAX_NS,
            "total_ns": field.TOTAL_NS,
            "elapsed_ns": field.ELAPSED_NS,
        }.items()
    } | {name: pl.Series(rows[:, field.QUANTILES + i]) for i, name in enumerate(QUANTILES)}
    frame = pl.DataFrame(numbered).with_columns(
        pl.all().replace(field.NULL, None), mean_ns=pl.col("total_ns") / pl.col("count")
    )
    frame = frame.with_columns(
        pl.Series("point", point),
        *values.select(pl.all().gather(point)).get_columns(),
        pl.lit(seed, pl.Int64()).alias("seed"),
        pl.Series("replication", replication),
        classes.gather(first_class[point] + rows[:, field.CLASS]).alias("class"),
        pl.Series("record", span.NAMES).gather(rows[:, field.RECORD]),
        pl.Series("call", [*call.NAMES, None]).gather(
            np.where(rows[:, field.CALL] == field.NULL, len(call.NAMES), rows[:, field.CALL])
        ),
        pl.lit(__version__).alias("version"),
        *_buckets(numbers).get_columns(),
    )
    return frame.select("point", *grid.axes, *ROW_SCHEMA)


def _buckets(numbers: Numbers) -> pl.DataFrame:
    """The histogram of each row: upper ends (inclusive) and counts; null for a single call."""
    _, high = bucket_bounds()
    listed = numbers.rows[:, field.LISTED]
    entries = pl.DataFrame(
        {
            "row": np.repeat(np.arange(len(listed)), listed),
            "bucket_ns": high[numbers.buckets[:, 0]],
            "bucket_count": numbers.buckets[:, 1],
        }
    ).set_sorted("row")
    lists = entries.group_by("row", maintain_order=True).agg(pl.all()).drop("row")
    has_list = pl.Series(listed > 0)
    place = pl.select(pl.when(has_list).then(has_list.cum_sum().cast(pl.Int64) - 1)).to_series()
    return lists.select(pl.all().gather(place))


def order_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Put rows into the order of the runs of the grid, whenever each arrived."""
    return frame.sort("point", "replication", maintain_order=True).rechunk()
