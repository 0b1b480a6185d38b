"""Every lock policy with every way to lock a range: who waits, how long, and what it costs."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from rfcsim.model.layout import policy
from rfcsim.runs.simulate import Progress
from rfcsim.runs.statistics import TIMES, mean_intervals
from rfcsim.runs.sweep import sweep
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.kernels import kernels_with
from rfcsim.scenario.scenario import Scenario
from rfcsim.scenario.ways import ways_to_lock


def matrix(
    scenario: Scenario,
    *,
    policies: Iterable[str] | None = None,
    ways: Mapping[str, Mapping[str, Any]] | None = None,
    quantity: str = "max_ns",
    locker: str = "locker",
    replications: int = 20,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> pl.DataFrame:
    """Run a scenario under every lock policy with every way to lock.

    In a replication, all cells meet the same random numbers. The same arguments give the same
    bytes.

    Parameters
    ----------
    scenario : Scenario
    policies : iterable of str, optional
        Values of `Scenario.lock_policy`; by default all of them.
    ways : mapping of str to mapping, optional
        What each way changes in the scenario; by default `ways_to_lock(scenario, locker=locker)`.
    quantity : str
        The figure for the waits of a run: max_ns (the longest), mean_ns, p50_ns, p99_ns, p999_ns.
    locker : str
        The group of tasks that locks: the time for its calls is the time that locking takes.
    replications, seed, threads, progress
        See `sweep`.

    Returns
    -------
    polars.DataFrame
        One row per way, policy and class of task: way, lock_policy, kernels (those that have both;
        null if none has), class, quantity, replications (runs with such a wait), mean, low, high
        (the quantity of waits in the mode of the lock that is worse, in ns, with a 95 % interval by
        replication; null if the class never asked for the lock), locking, locking_low, locking_high
        (how long the locker took, likewise).

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_known(f"quantity = {show(quantity)}", quantity, [t for t in TIMES if t != "total_ns"])
    check_known(f"locker = {show(locker)}", locker, [group.name for group in scenario.tasks])
    chosen = ways_to_lock(scenario, locker=locker) if ways is None else dict(ways)
    under = list(policy.BY_NAME if policies is None else policies)
    rows = sweep(
        scenario,
        {"way": chosen, "lock_policy": under},
        replications=replications,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return _summarise(rows, scenario, chosen, quantity, locker)


def _summarise(
    rows: pl.DataFrame,
    scenario: Scenario,
    ways: Mapping[str, Mapping[str, Any]],
    quantity: str,
    locker: str,
) -> pl.DataFrame:
    """The table of `matrix` from the rows of its sweep."""
    cells = rows.select("way", "lock_policy").unique(maintain_order=True)
    classes = pl.DataFrame({"class": [group.name for group in scenario.tasks]})
    keys = ["way", "lock_policy", "class"]
    bounds = ["mean", "low", "high"]
    waits = mean_intervals(rows.filter(pl.col("record").str.starts_with("wait_")), [quantity])
    worse = waits.sort("mean", descending=True, maintain_order=True).unique(
        keys, keep="first", maintain_order=True
    )
    rounds = mean_intervals(
        rows.filter(pl.col("record") == "round", pl.col("class") == locker), ["max_ns"]
    ).select(
        "way",
        "lock_policy",
        locking="mean",
        locking_low="low",
        locking_high="high",
    )
    designs = {way: str(fields.get("design", scenario.design)) for way, fields in ways.items()}
    shipped = pl.Series(
        [kernels_with(designs[way], policy) for way, policy in cells.iter_rows()], dtype=pl.String()
    )
    return (
        cells.with_columns(kernels=shipped)
        .join(classes, how="cross", maintain_order="left_right")
        .with_columns(quantity=pl.lit(quantity))
        .join(
            worse.select(*keys, "replications", *bounds), on=keys, how="left", maintain_order="left"
        )
        .join(rounds, on=["way", "lock_policy"], how="left", maintain_order="left")
    )
