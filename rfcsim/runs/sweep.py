"""Run a scenario over a grid of values, on threads, processes or a cluster."""

import contextlib
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.runs.grid import Axis, Grid, build_grid
from rfcsim.runs.harvest import WORKERS, Harvest
from rfcsim.runs.prepare import LARGEST_KEY
from rfcsim.runs.progress import reporter
from rfcsim.runs.replicate import MOST_REPLICATIONS, thread_pool, usable_cpus
from rfcsim.runs.rows import ROW_SCHEMA
from rfcsim.runs.simulate import Progress
from rfcsim.runs.store import Store
from rfcsim.runs.worker import Played, Stretch, engine, run_stretch
from rfcsim.scenario.checked import check_range
from rfcsim.scenario.scenario import Scenario

MOST_RUNS = 10_000_000


def sweep(
    scenario: Scenario | Iterable[Scenario],
    over: Mapping[str, Axis] | None = None,
    *,
    replications: int = 10,
    seed: int = 0,
    executor: Executor | None = None,
    threads: int | None = None,
    to: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    progress: Progress | bool | None = None,
) -> pl.DataFrame:
    """Run every combination of values several times; the same arguments give the same bytes.

    In a replication, all points of the grid meet the same random numbers (common random numbers),
    so that they can be compared in pairs: see `paired_differences`.

    Parameters
    ----------
    scenario : Scenario, or several of different names
        What is varied; several scenarios are the outermost axis of the grid.
    over : mapping of str to values
        Fields of the scenario, each with the values that it takes: the keys of `Scenario.replace`,
        such as "batch_pages", "costs" or "tasks.victim.count". Variants that change several fields
        have names: ``{"kernel": {"2.6.36": {"design": "exclusive"}, "RFC": {"design": "batched",
        "batch_pages": 256}}}``.
    replications : int
        Runs per point, 1 to 100,000.
    seed : int
    executor : concurrent.futures.Executor, optional
        What runs them: by default threads; or processes, or ``Client.get_executor()`` of a Dask
        cluster whose workers have rfcsim. The rows do not depend on it.
    threads : int, optional
        How many threads, if there is no executor; by default one per CPU.
    to : path, optional
        A Parquet file for the rows. While the sweep runs, they are in the folder FILE.parts. A
        sweep that was stopped for whatever reason goes on from there when it is called again.
    fresh : bool
        Throw away what is in the file, and its parts, and start again.
    progress : callable or bool, optional
        Called with the share of the runs that is done. True draws a bar on standard error; None
        does so if that is a terminal.

    Returns
    -------
    polars.DataFrame
        One row per point of the grid, replication, class of task and record, in that order; there
        is no row for what did not occur. Columns: point (number), scenario (name), one per axis,
        seed, replication, class; record (wait_shared, wait_exclusive, hold_shared, hold_exclusive,
        call, or round, which is once through the task's calls), call (its name, or null in the row
        of all calls together), count, waited (requests that were not granted at once; null except
        for waits), failed (calls that returned a negative value; null except for calls), mean_ns,
        p50_ns, p99_ns, p999_ns, max_ns, total_ns; elapsed_ns (of the run); bucket_ns and
        bucket_count (the histogram: the upper ends, inclusive, of its buckets, and how many entries
        each has); fingerprint (of scenario and costs), version.
        Quantiles are as in `Result`, at most 1/32 (3.1 %) too large. In the row of a single call,
        they and the histogram are null.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed; or why the file cannot be used.
    SweepError
        One line: why the sweep cannot go on, and which rows are safe.
    """
    check_range("replications", replications, 1, MOST_REPLICATIONS)
    check_range("seed", seed, 0, LARGEST_KEY)
    if threads is not None:
        check_range("threads", threads, 1, MOST_REPLICATIONS)
    if executor is not None and not isinstance(executor, Executor):
        raise RfcsimError(f"executor = {executor!r}: must be a concurrent.futures.Executor")
    grid = build_grid(scenario, over or {}, reserved=["point", *ROW_SCHEMA])
    runs = len(grid.points) * replications
    if runs > MOST_RUNS:
        raise RfcsimError(f"over: {runs} runs in all, must be {MOST_RUNS} or less")
    store = None if to is None else Store(to, _describe(grid, replications, seed), fresh)
    if store is not None and not store.begun() and (frame := store.finished()) is not None:
        return frame  # even where nothing can be written
    with store or contextlib.nullcontext():
        if store is not None and (frame := store.finished()) is not None:
            store.clear()
            return frame
        with reporter(progress, " and ".join(map(str, grid.axes["scenario"])), runs) as report:
            harvest = Harvest(grid, replications, seed, store, report)
            if executor is None:
                workers, stop = threads or usable_cpus(), threading.Event()
                with thread_pool(workers, stop) as pool:
                    _run_all(
                        harvest, workers, lambda stretch: pool.submit(run_stretch, stretch, stop)
                    )
            else:
                _run_all(harvest, WORKERS, lambda stretch: _submit(executor, stretch))
            return harvest.finish()


def _describe(grid: Grid, replications: int, seed: int) -> dict[str, Any]:
    """What distinguishes this sweep from every other."""
    digest = hashlib.sha256("".join(point.fingerprint for point in grid.points).encode())
    axes = {f"over.{axis}": list(values) for axis, values in grid.axes.items()}
    return {
        "rfcsim": engine(),
        "seed": seed,
        "replications": replications,
        "scenario": axes.pop("over.scenario"),
        **axes,
        "fingerprint": digest.hexdigest()[:16],
    }


def _run_all(harvest: Harvest, workers: int, submit: Callable[[Stretch], Future[Played]]) -> None:
    """Run everything that is not done yet, and take in what comes back."""
    pending: dict[Future[Played], Stretch] = {}
    arrived: queue.SimpleQueue[Future[Played]] = queue.SimpleQueue()

    def start(stretches: Iterable[Stretch]) -> None:
        for stretch in stretches:
            future = submit(stretch)
            pending[future] = stretch
            future.add_done_callback(arrived.put)

    try:
        start(harvest.missing(workers))
        while pending:
            try:
                future = arrived.get(timeout=harvest.seconds_to_save())
            except queue.Empty:
                harvest.save()
                continue
            stretch = pending.pop(future)
            harvest.take(stretch, played := future.result())
            harvest.tell()
            start(stretch.rest(played.end))
    except BaseException as error:
        for future, stretch in pending.items():
            # What has not begun is cancelled; what has come back in the meantime is kept.
            if not future.cancel() and future.done() and future.exception() is None:
                with contextlib.suppress(RfcsimError):
                    harvest.take(stretch, future.result())
        stopped = harvest.stopped(error)
        if stopped is error:
            raise
        raise stopped from error


def _submit(executor: Executor, stretch: Stretch) -> Future[Played]:
    """Hand a stretch to an executor of the user; whatever fails in it is raised as one error."""
    try:
        return executor.submit(run_stretch, stretch)
    except RuntimeError as error:  # the executor is broken, or shut down
        raise BrokenExecutor(str(error)) from error
