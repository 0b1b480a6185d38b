"""What was measured: latencies as histograms, what they mean, and the file that keeps them."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.files import save_whole
from rfcsim.histogram import N_BUCKETS, bucket_bounds, quantile
from rfcsim.live.loops import Recorder

FORMAT = "1"  # of the file; a reader refuses any other
_KEY = "rfcsim."  # each of our keys in the metadata of the file begins with it

SETTINGS = {  # the fields of a Probe
    "method": pl.String(),
    "backing": pl.String(),
    "pages": pl.Int64(),
    "piece_pages": pl.Int64(),  # null: the whole range
    "pause_us": pl.Float64(),
    "pause_by": pl.String(),
    "victim": pl.String(),
    "think_us": pl.Float64(),
    "locker_cpu": pl.Int64(),
    "victim_cpu": pl.Int64(),
    "priority": pl.String(),
}
RECORD_SCHEMA = pl.Schema(
    {
        "experiment": pl.String(),  # "probe", or the name of what was timed alone
        "probe": pl.Int64(),  # number of the probe; null for what was timed alone
        "repetition": pl.Int64(),
        **SETTINGS,
        "role": pl.String(),  # "locker", "victim" or "alone"
        "step": pl.Int64(),  # place of the operation in its pass or round; null: it has none
        "operation": pl.String(),
        "count": pl.Int64(),
        "covered_pages": pl.Int64(),  # pages of all entries together; null: not about pages
        "sum_ns": pl.Int64(),
        "min_ns": pl.Int64(),
        "max_ns": pl.Int64(),
        "histogram": pl.List(
            pl.Struct({"low_ns": pl.Int64(), "high_ns": pl.Int64(), "count": pl.Int64()})
        ),  # buckets with an entry; both bounds are inclusive
    }
)
ALL = "all"  # operation: the whole run of a locker, or a whole round of a victim
PAUSE = "pause"  # operation: a pause of a locker, or the think time of a victim

# The part of a locker's call that is no hold of the lock: what the same call takes on a page for
# which there is nothing to do. By operation: the experiment and the operation that timed it.
_NO_HOLD = {
    "mlock": ("mlock-locked-page", "mlock"),
    "mlock2(MLOCK_ONFAULT)": ("onfault-page", "mlock2(MLOCK_ONFAULT)"),
    "madvise(MADV_POPULATE_READ)": ("populate-present-page", "madvise(MADV_POPULATE_WRITE)"),
    "madvise(MADV_POPULATE_WRITE)": ("populate-present-page", "madvise(MADV_POPULATE_WRITE)"),
    "mmap(MAP_FIXED | MAP_POPULATE)": ("mmap-page", "mmap"),
}
_OF_PROBE = ["probe", *SETTINGS]
# For records: whether the victim is on the locker's CPU. See `Probe.placement`.
PLACEMENT = (
    pl.when(pl.col("locker_cpu") == pl.col("victim_cpu"))
    .then(pl.lit("same"))
    .otherwise(pl.lit("other"))
)


@dataclass(frozen=True, eq=False, repr=False)
class Measurement:
    """What `measure` found on a machine.

    Attributes
    ----------
    records : polars.DataFrame
        Of RECORD_SCHEMA: one row for each thing timed in one repetition, with its histogram.
    provenance : mapping of str to str
        The machine, the kernel and its settings, versions, the command, and what was left out.
    """

    records: pl.DataFrame
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        probes = self.records["probe"].n_unique() - self.records["probe"].has_nulls()
        return f"<{probes} probes on {self.provenance.get('kernel', 'an unknown kernel')}>"

    @cached_property
    def latencies(self) -> pl.DataFrame:
        """Every operation of every probe, over all repetitions.

        Columns: probe and its fields, role, step, operation, repetitions, count, covered_pages,
        mean_ns, p50_ns, p99_ns, max_ns.
        """
        return _pooled(
            self.records.filter(experiment="probe"),
            [*_OF_PROBE, "role", "step", "operation"],
        )

    @cached_property
    def alone(self) -> pl.DataFrame:
        """How long single operations take when nobody is in their way.

        Columns: experiment, backing, priority, step, operation, repetitions, count, covered_pages,
        mean_ns, p50_ns, p99_ns, max_ns, page_ns (mean per page) and page_ns_low, page_ns_high (the
        least and the largest mean of one repetition).
        """
        keys = ["experiment", "backing", "priority", "step", "operation"]
        alone = self.records.filter(pl.col("experiment") != "probe")
        pages = pl.col("covered_pages")
        means = pl.col("sum_ns") / pl.when(pages > 0).then(pages)
        spread = alone.group_by(keys, maintain_order=True).agg(
            page_ns=pl.col("sum_ns").sum() / pl.when(pages.sum() > 0).then(pages.sum()),
            page_ns_low=means.min(),
            page_ns_high=means.max(),
        )
        return _pooled(alone, keys).join(spread, on=keys, how="left", nulls_equal=True)

    @cached_property
    def holds(self) -> pl.DataFrame:
        """How long a locker's calls held mmap_lock, at most.

        That is how long a call took, less what the same call takes if there is nothing to do. It is
        too long for a call that itself waited for the lock or the CPU.

        Columns: probe and its fields, operation, count, p50_ns, max_ns.
        """
        calls = self.latencies.filter(
            pl.col("operation").is_in(list(_NO_HOLD)), pl.col("role") == "locker"
        )
        least = {
            (row["experiment"], row["operation"]): row["p50_ns"]
            for row in self.alone.iter_rows(named=True)
        }
        beside = pl.col("operation").replace_strict(
            {operation: least.get(where, 0) for operation, where in _NO_HOLD.items()},
            return_dtype=pl.Int64(),
        )
        return calls.select(
            *_OF_PROBE,
            "operation",
            "count",
            *((pl.col(name) - beside).clip(0) for name in ("p50_ns", "max_ns")),
        )

    def table(self) -> pl.DataFrame:
        """Who waited behind what, and how long, in words; one row per probe."""
        rows = self.latencies.select(_OF_PROBE).unique(maintain_order=True)
        rounds = self.latencies.filter(role="victim", operation=ALL)
        totals = self.latencies.filter(role="locker", operation=ALL)
        holds = self.holds.group_by("probe").agg(pl.col("max_ns").max().alias("hold_ns"))
        times = ["count", "p50_ns", "p99_ns", "max_ns"]
        rows = rows.join(rounds.select("probe", *times), on="probe", how="left")
        rows = rows.join(totals.select("probe", total_ns="p50_ns"), on="probe", how="left")
        rows = rows.join(holds, on="probe", how="left").sort("probe")
        return rows.select(
            "method",
            pages=pl.when(pl.col("method") != "none").then(
                pl.col("piece_pages").fill_null(pl.col("pages"))
            ),
            pause=_words(pl.when(pl.col("pause_us") > 0).then(pl.col("pause_us") * 1000)),
            victim=pl.when(pl.col("priority") == "fifo")
            .then(pl.col("victim") + ", fifo")
            .otherwise("victim"),
            cpu=pl.when(pl.col("locker_cpu").is_null()).then(pl.lit("any")).otherwise(PLACEMENT),
            rounds=pl.col("count").fill_null(0),
            p50=_words(pl.col("p50_ns")),
            p99=_words(pl.col("p99_ns")),
            max=_words(pl.col("max_ns")),
            **{"longest hold": _words(pl.col("hold_ns")), "total": _words(pl.col("total_ns"))},
        )

    def write(self, file: str | Path | IO[bytes]) -> None:
        """Write the measurement as Parquet: the records, and the provenance in its metadata.

        Parameters
        ----------
        file : str, pathlib.Path or a binary file
            What a path leads to is written whole or not at all.

        Raises
        ------
        RfcsimError
            If the file cannot be written.
        """
        metadata = {f"{_KEY}{name}": value for name, value in self.provenance.items()}
        content = io.BytesIO()
        self.records.write_parquet(content, metadata=metadata | {f"{_KEY}format": FORMAT})
        if isinstance(file, str | Path):
            save_whole(file, content.getvalue())
        else:
            file.write(content.getvalue())


def record(
    recorder: Recorder,
    row: int,
    about: Mapping[str, object],
    operation: str,
    *,
    step: int | None = None,
    covered_pages: int | None = None,
) -> Iterator[dict[str, object]]:
    """A row of a measurement from a row of a recorder; none if that is empty.

    Parameters
    ----------
    recorder : Recorder
    row : int
    about : mapping
        The columns that say what was measured.
    operation, step, covered_pages
        As in RECORD_SCHEMA.
    """
    count, sum_ns, min_ns, max_ns = map(int, recorder.statistics[row])
    if not count:
        return
    low_ns, high_ns = bucket_bounds()
    counts = recorder.histograms[row]
    (used,) = counts.nonzero()
    yield dict(about) | {
        "operation": operation,
        "step": step,
        "count": count,
        "covered_pages": covered_pages,
        "sum_ns": sum_ns,
        "min_ns": min_ns,
        "max_ns": max_ns,
        "histogram": [
            {"low_ns": int(low), "high_ns": int(high), "count": int(number)}
            for low, high, number in zip(low_ns[used], high_ns[used], counts[used], strict=True)
        ],
    }


def load_measurement(path: str | Path) -> Measurement:
    """Read a measurement that `Measurement.write` or `rfcsim measure` wrote.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    Measurement

    Raises
    ------
    RfcsimError
        If there is no such file, or it is not a measurement in the format of this version.
    """
    try:
        with open(path, "rb") as file:
            metadata = pl.read_parquet_metadata(file)
            file.seek(0)
            records = pl.read_parquet(file)
    except OSError as error:
        raise RfcsimError(f"{path}: cannot be read: {error.strerror}") from None
    except pl.exceptions.PolarsError:
        raise RfcsimError(f"{path}: is not a Parquet file") from None
    provenance = {
        name.removeprefix(_KEY): value for name, value in metadata.items() if name.startswith(_KEY)
    }
    found = provenance.pop("format", None)
    if found != FORMAT or records.schema != RECORD_SCHEMA:
        have = f"format {found}" if found else "none of rfcsim's"
        raise RfcsimError(f"{path}: must be a measurement of format {FORMAT}, is {have}")
    return Measurement(records, provenance)


def _pooled(records: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Put the repetitions together."""
    low_ns, _ = bucket_bounds()
    groups = records.group_by(keys, maintain_order=True).agg(
        pl.col("repetition").n_unique().alias("repetitions"),
        pl.col("count").sum(),
        pl.col("covered_pages").sum(),
        (pl.col("sum_ns").sum() / pl.col("count").sum()).alias("mean_ns"),
        pl.col("max_ns").max(),
        pl.col("histogram").list.explode(),
    )
    quantiles: dict[str, list[int]] = {"p50_ns": [], "p99_ns": []}
    for buckets, longest in groups.select("histogram", "max_ns").iter_rows():
        counts = np.zeros(N_BUCKETS, np.int64)
        lows = [bucket["low_ns"] for bucket in buckets if bucket]
        np.add.at(
            counts,
            np.searchsorted(low_ns, lows),
            [bucket["count"] for bucket in buckets if bucket],
        )
        quantiles["p50_ns"].append(quantile(counts, longest, 0.5))
        quantiles["p99_ns"].append(quantile(counts, longest, 0.99))
    named = (pl.Series(name, values, pl.Int64()) for name, values in quantiles.items())
    return (
        groups.drop("histogram")
        .with_columns(*named)
        .select(
            *keys, "repetitions", "count", "covered_pages", "mean_ns", "p50_ns", "p99_ns", "max_ns"
        )
    )


def _words(nanoseconds: pl.Expr) -> pl.Expr:
    return nanoseconds.map_elements(human, pl.String())
