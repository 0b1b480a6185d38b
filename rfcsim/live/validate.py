"""How well the model, calibrated on everything else, predicts what was measured in pieces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.live.calibrate import calibrate
from rfcsim.live.measurement import ALL, SETTINGS, Measurement
from rfcsim.live.predict import METHODS, Predictor, Run
from rfcsim.live.probe import Probe
from rfcsim.scenario.costs import CostTable
from rfcsim.scenario.scenario import LockPolicy

TIMES_MEASURED = 3  # predictions of each cell per measurement of it, for an interval
AIMS = {"p50": (1.3, 0.9), "p99": (2.0, 0.8)}  # quantity: factor, share of cells within it
QUANTITIES = ("p50", "p99", "max", "total")

_CELL = pl.Schema(
    {
        "probe": pl.Int64(),
        **SETTINGS,
        "placement": pl.String(),
        "what": pl.String(),
        "judged": pl.Boolean(),
        "rounds": pl.Int64(),
        "quantity": pl.String(),
        "predicted_ns": pl.Float64(),
        "low_ns": pl.Float64(),
        "high_ns": pl.Float64(),
        "measured_ns": pl.Float64(),
        "ratio": pl.Float64(),
    }
)


@dataclass(frozen=True, eq=False, repr=False)
class Validation:
    """Predicted beside measured.

    Attributes
    ----------
    cells : polars.DataFrame
        One row per probe and quantity: probe and its fields, placement (whether the victim is on
        the locker's CPU, "same", or on another, "other"), what (the probe in words), judged (False
        for a whole range, which the calibration saw), rounds (measured), quantity ("p50", "p99" and
        "max" of the victim's rounds, "total" of the locker), predicted_ns with low_ns and high_ns
        (the least and the largest of several predictions, each of as many repetitions as were
        measured), measured_ns, ratio.
    left_out : polars.DataFrame
        The probes that are not predicted: method, backing, victim, and how many.
    """

    cells: pl.DataFrame
    left_out: pl.DataFrame

    def __repr__(self) -> str:
        return f"<{self.text}>"

    @cached_property
    def summary(self) -> pl.DataFrame:
        """How many of the judged cells are predicted within a factor.

        Columns: quantity, factor, within, cells, share, aim (the share to aim for).
        """
        rows = []
        for quantity, (factor, aim) in AIMS.items():
            ratios = self.cells.filter("judged", quantity=quantity)["ratio"]
            within = int(ratios.is_between(1 / factor, factor).sum())
            share = within / len(ratios) if len(ratios) else None
            rows.append((quantity, factor, within, len(ratios), share, aim))
        columns = ["quantity", "factor", "within", "cells", "share", "aim"]
        return pl.DataFrame(rows, columns, orient="row")

    @property
    def text(self) -> str:
        """The summary in one sentence."""
        return "; ".join(
            f"{row['quantity']} within a factor of {row['factor']:g} in {row['within']} of "
            f"{row['cells']} cells (aim: {row['aim']:.0%})"
            for row in self.summary.iter_rows(named=True)
        )

    def table(self) -> pl.DataFrame:
        """Every cell in words, "predicted : measured = ratio", one row per probe."""
        words = pl.struct("predicted_ns", "measured_ns", "ratio").map_elements(_cell, pl.String())
        keys = ["probe", "method", "piece_pages", "pages", "pause_us", "priority", "placement"]
        wide = self.cells.with_columns(words=words).pivot("quantity", index=keys, values="words")
        return wide.sort("method", "pause_us", "priority", "placement", "probe").select(
            "method",
            pages=pl.col("piece_pages").fill_null(pl.col("pages")),
            pause=pl.when(pl.col("pause_us") > 0)
            .then(pl.format("{} us", pl.col("pause_us").round(1)))
            .otherwise(pl.lit("")),
            victim="priority",
            cpu="placement",
            **{quantity: pl.col(quantity) for quantity in QUANTITIES},
        )


def validate(
    measurement: Measurement,
    costs: CostTable | None = None,
    *,
    lock_policy: LockPolicy | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Validation:
    """Predict every probe in pieces from everything else, and set it beside what was measured.

    A prediction simulates a cell under the rules of the measured kernel, as often as it was
    measured. Each cell is predicted several times.

    Parameters
    ----------
    measurement : Measurement
    costs : CostTable, optional
        By default that of `calibrate`.
    lock_policy : str, optional
        Predict for another lock policy, as in `Scenario`; by default that of the kernel.
    seed : int
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Validation

    Raises
    ------
    RfcsimError
        If no calibration can be made from the measurement, or it has nothing to predict.
    """
    calibration = calibrate(measurement)
    if lock_policy is not None:
        calibration = calibration.under(lock_policy)
    predictor = Predictor(calibration, costs or calibration.table, seed)
    totals = measurement.latencies.filter(role="locker", operation=ALL)
    rounds = measurement.latencies.filter(role="victim", operation=ALL)
    known = totals.filter(
        pl.col("method").is_in(METHODS),
        pl.col("backing") == "anonymous",
        pl.col("victim") == "mmap",
        pl.col("probe").is_in(rounds["probe"].implode()),
        # Threads that may run anywhere meet on one CPU at random.
        pl.col("locker_cpu").is_not_null() & pl.col("victim_cpu").is_not_null(),
    )
    if known["piece_pages"].null_count() == len(known):
        raise RfcsimError("measurement: has no runs in pieces with the victim mmap to predict")
    rows: list[tuple] = []
    for number, total in enumerate(known.iter_rows(named=True)):
        (of_victim,) = rounds.filter(probe=total["probe"]).iter_rows(named=True)
        rows += _predicted(predictor, total, of_victim)
        if progress is not None:
            progress((number + 1) / len(known))
    others = totals.filter(~pl.col("probe").is_in(known["probe"].implode()))
    return Validation(
        cells=pl.DataFrame(rows, _CELL, orient="row"),
        left_out=others.group_by("method", "backing", "victim", maintain_order=True).len("probes"),
    )


def _predicted(
    predictor: Predictor, total: dict[str, Any], rounds: dict[str, Any]
) -> Iterator[tuple]:
    """The rows of one probe."""
    probe = Probe(**{name: total[name] for name in SETTINGS})
    repetitions = total["repetitions"]
    # A run that took too long was ended after only some of its pieces.
    pages = max(1, total["covered_pages"] // repetitions)
    runs = list(predictor.runs(probe, TIMES_MEASURED * repetitions, pages))
    figures = [summarize(runs[first::TIMES_MEASURED]) for first in range(TIMES_MEASURED)]
    measured = {name: rounds[f"{name}_ns"] for name in ("p50", "p99", "max")}
    measured["total"] = total["p50_ns"]
    for quantity in QUANTITIES:
        values = [each[quantity] for each in figures]
        middle = float(np.median(values))
        yield (
            total["probe"],
            *(total[name] for name in SETTINGS),
            probe.placement,
            _words(probe),
            probe.piece_pages is not None and probe.piece_pages < probe.pages,
            rounds["count"],
            quantity,
            middle,
            min(values),
            max(values),
            measured[quantity],
            middle / measured[quantity],
        )


def summarize(runs: list[Run]) -> dict[str, float]:
    """The quantiles of the victim's rounds, as a measurement has them, and the locker's total."""
    together = np.concatenate([run.rounds_ns for run in runs])
    total_ns = float(np.median([run.total_ns for run in runs]))
    if not len(together):
        return {"p50": 0.0, "p99": 0.0, "max": 0.0, "total": total_ns}
    p50, p99 = np.quantile(together, (0.5, 0.99), method="inverted_cdf")
    return {"p50": float(p50), "p99": float(p99), "max": float(together.max()), "total": total_ns}


def _words(probe: Probe) -> str:
    pieces = "one call" if probe.piece_pages is None else f"pieces of {probe.piece_pages:,}"
    pause = f", pause {probe.pause_us:g} us" if probe.pause_us else ""
    real_time = "real-time " if probe.priority == "fifo" else ""
    return f"{probe.method}, {pieces}{pause}, {real_time}waiter on {probe.placement} CPU"


def _cell(row: dict[str, float]) -> str:
    predicted, measured = (human(round(row[f"{what}_ns"])) for what in ("predicted", "measured"))
    return f"{predicted} : {measured} = {row['ratio']:.2f}"
