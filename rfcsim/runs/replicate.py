"""Run a scenario many times with different random numbers, to see how sure its figures are."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from rfcsim.runs.result import Result
from rfcsim.runs.simulate import Progress, run_once
from rfcsim.runs.statistics import check_share, mean_interval, with_margin
from rfcsim.scenario.checked import check_range
from rfcsim.scenario.costs import cost_values
from rfcsim.scenario.scenario import Scenario

MOST_REPLICATIONS = 100_000
QUANTITIES = ("mean_ns", "p50_ns", "p99_ns", "max_ns", "total_ns")

_SUMMARY_SCHEMA = {
    "class": pl.String(),
    "mode": pl.String(),
    "quantity": pl.String(),
    "replications": pl.Int64(),
    "mean": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True, eq=False, repr=False)
class Replications:
    """Independent runs of one scenario under one seed, replications 0 to n - 1.

    Attributes
    ----------
    results : tuple of Result
        In the order of their replications.
    """

    results: tuple[Result, ...]

    def __repr__(self) -> str:
        return f"<{len(self.results)} replications of {self.results[0].scenario.name!r}>"

    @cached_property
    def waits(self) -> pl.DataFrame:
        """`Result.waits` of every run, with a column replication in front."""
        return self._stack([result.waits for result in self.results])

    @cached_property
    def holds(self) -> pl.DataFrame:
        """`Result.holds` of every run, with a column replication in front."""
        return self._stack([result.holds for result in self.results])

    @cached_property
    def calls(self) -> pl.DataFrame:
        """`Result.calls` of every run, with a column replication in front."""
        return self._stack([result.calls for result in self.results])

    @cached_property
    def histogram(self) -> pl.DataFrame:
        """`Result.histogram` of all runs together."""
        frames = pl.concat([result.histogram for result in self.results])
        keys = ["class", "record", "low_ns", "high_ns"]
        together = frames.group_by(keys, maintain_order=True).agg(pl.col("count").sum())
        classes = [group.name for group in self.results[0].scenario.tasks]
        return together.sort(
            pl.col("class").cast(pl.Enum(classes)), pl.col("record"), pl.col("low_ns")
        )

    def summary(self, confidence: float = 0.95) -> pl.DataFrame:
        """Waits for mmap_sem, averaged over the replications, with Student's t intervals.

        Parameters
        ----------
        confidence : float
            Between 0 and 1: how often such an interval covers the true mean, if the figures of the
            replications are about normal.

        Returns
        -------
        polars.DataFrame
            One row per class, mode and quantity (mean_ns, p50_ns, p99_ns, max_ns, total_ns): class,
            mode, quantity, replications (those in which the class asked in that mode), mean, low,
            high, in ns. With one replication, low and high are null. low is never negative, as no
            wait is.
        """
        check_share("confidence", confidence)
        frame = self.waits.with_columns(mean_ns=pl.col("total_ns") / pl.col("requests"))
        rows = []
        for (name, mode), group in frame.group_by(["class", "mode"], maintain_order=True):
            for quantity in QUANTITIES:
                values = group[quantity].cast(pl.Float64()).to_numpy()
                interval = mean_interval(values, confidence)
                rows.append((name, mode, quantity, len(values), *interval))
        return pl.DataFrame(rows, _SUMMARY_SCHEMA, orient="row")

    def table(self) -> pl.DataFrame:
        """Who waited for what, and how long, in words: means with 95 % intervals."""
        asked = self.waits.group_by(["class", "mode"], maintain_order=True).agg(
            pl.col("requests").mean(), pl.col("waited").mean()
        )
        cells = self.summary().with_columns(
            cell=pl.struct("mean", "low", "high").map_elements(with_margin, pl.String())
        )
        words = cells.pivot("quantity", index=["class", "mode"], values="cell")
        return asked.join(words, on=["class", "mode"], maintain_order="left").select(
            "class",
            pl.format("mmap_sem, {}", "mode").alias("waited for"),
            pl.col("requests", "waited").round(1),
            *(pl.col(f"{name}_ns").alias(name) for name in ("p50", "p99", "max", "total")),
        )

    def _stack(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(
            frame.select(pl.lit(result.replication, pl.Int64()).alias("replication"), pl.all())
            for result, frame in zip(self.results, frames, strict=True)
        )


def replicate(
    scenario: Scenario,
    n: int,
    *,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Replications:
    """Run a scenario n times, on several threads; their number does not change the result.

    Parameters
    ----------
    scenario : Scenario
    n : int
        Replications, 1 to 100,000.
    seed : int
    threads : int, optional
        Threads to run on; by default one per CPU.
    progress : callable, optional
        Called after each replication with the share that is done, 0 to 1.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_range("replications", n, 1, MOST_REPLICATIONS)
    if threads is not None:
        check_range("threads", threads, 1, MOST_REPLICATIONS)
    costs = cost_values(scenario.costs)
    results: list[Result | None] = [None] * n
    stop = threading.Event()
    with thread_pool(min(n, threads or usable_cpus()), stop) as pool:
        runs = {
            pool.submit(run_once, scenario, costs, seed, replication, stop=stop): replication
            for replication in range(n)
        }
        for done, future in enumerate(as_completed(runs), start=1):
            results[runs[future]] = future.result()
            if progress is not None:
                progress(done / n)
    return Replications(tuple(result for result in results if result is not None))


def usable_cpus() -> int:
    """How many CPUs this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def thread_pool(threads: int, stop: threading.Event) -> Iterator[ThreadPoolExecutor]:
    """A pool whose work is dropped, not finished, when its user fails or is interrupted."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="rfcsim")
    try:
        yield pool
    except BaseException:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
