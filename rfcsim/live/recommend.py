"""Recommend how to lock memory on the kernel that was measured, so that nobody waits too long."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits
from rfcsim.live.calibrate import calibrate
from rfcsim.live.figures import entries
from rfcsim.live.measure import measure, report
from rfcsim.live.measurement import ALL, PLACEMENT, Measurement
from rfcsim.live.predict import Predictor
from rfcsim.live.probe import LOCKING, PAUSE_US, TOUCHING, Method, Probe, probes
from rfcsim.live.provenance import provenance
from rfcsim.live.recommendation import CONFIRMED, TRIALS, Recommendation, Span
from rfcsim.live.validate import TIMES_MEASURED, summarize
from rfcsim.scenario.checked import Limits
from rfcsim.scenario.costs import CostTable
from rfcsim.scenario.sizes import largest, sizes

REPETITIONS = 3  # of a prediction, and of the measurement that confirms
# At most this many pieces are predicted, enough for p99; the others take as long per piece.
PIECES, PIECES_WITH_PAUSES = 16_384, 2048
MOST_CONFIRMED = 4  # settings that are measured again until one keeps the target
PLACEMENTS: tuple[limits.Placement, ...] = ("same", "other")
WHOLE_WAYS: tuple[tuple[Method, ...], ...] = (("mlock", "populate"), TOUCHING)
PIECE_WAYS: tuple[Method, ...] = ("onfault-populate", "populate", "mlock")


def recommend(
    measurement: Measurement,
    *,
    p99_wait_ns: int,
    costs: CostTable | None = None,
    confirm: bool = True,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Recommendation:
    """Find the quickest way to lock memory that keeps the waits of others within a target.

    It compares one call and touching every page, both as they were measured, with pieces, with and
    without a pause. The piece is the largest for which the prediction, and the measurement if it
    has that setting, keep the target both on the locker's CPU and on another one. What is
    recommended is measured again. If it does not keep the target, the next quickest way is
    measured; smaller pieces are among them.

    Parameters
    ----------
    measurement : Measurement
        Of this machine and its kernel, if the recommendation is to be confirmed.
    p99_wait_ns : int
        The target: p99 of what mmap() and munmap() of a page take together in another thread.
    costs : CostTable, optional
        By default that of `calibrate`.
    confirm : bool
        Measure the recommended way again. What was measured elsewhere is not confirmed here, and
        the recommendation says so.
    seed : int
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Recommendation

    Raises
    ------
    RfcsimError
        If the target is out of range, or no calibration can be made from the measurement.
    LiveError
        If it cannot be confirmed here.
    """
    if not 1 <= p99_wait_ns <= Limits.NS:
        raise RfcsimError(f"p99_wait_ns = {p99_wait_ns}: must be 1 to {Limits.NS}")
    elsewhere = ""
    if confirm:
        limits.require_linux("recommend with confirm = True")
        elsewhere = measured_elsewhere(measurement)
    search = _Search(measurement, p99_wait_ns, costs, seed)
    trials = search.measured_ways()
    for number, pause_us in enumerate((0.0, PAUSE_US)):
        trials.append(search.largest_piece(pause_us))
        report(progress, (number + 1) / 4)
    reaching = [trial for trial in trials if trial["reaches"]]
    best = min(reaching, key=lambda trial: trial["total_ns"], default=None)
    if best is None:
        trials.append(search.largest_piece(PAUSE_US, priority="fifo"))
    report(progress, 0.75)
    confirmed: list[pl.DataFrame] = []
    if best is not None and confirm and not elsewhere:
        best, confirmed, smaller = search.confirm(reaching)
        trials += smaller
    report(progress, 1.0)
    return Recommendation(
        p99_wait_ns=p99_wait_ns,
        pages=search.pages,
        trials=pl.DataFrame(trials, TRIALS),
        best=best,
        confirmed=pl.concat(confirmed) if confirmed else CONFIRMED.to_frame(),
        elsewhere=elsewhere,
    )


class _Search:
    """Trials under one target."""

    def __init__(
        self, measurement: Measurement, target_ns: int, costs: CostTable | None, seed: int
    ) -> None:
        calibration = calibrate(measurement)
        self._predictor = Predictor(calibration, costs or calibration.table, seed)
        self._target_ns = target_ns
        of_probes = measurement.records.filter(
            pl.col("backing") == "anonymous",
            pl.col("victim") == "mmap",
            pl.col("priority") == "normal",
            pl.col("operation") == ALL,
        )
        self._probes = of_probes
        if of_probes.is_empty():
            raise RfcsimError("measurement: has no runs with the victim mmap to recommend from")
        self.pages = int(of_probes["pages"].max())  # pyright: ignore
        have = set(of_probes.filter(pl.col("piece_pages").is_not_null())["method"])
        may_lock = of_probes["method"].is_in(LOCKING).any()
        likely = PIECE_WAYS if may_lock else PIECE_WAYS[1:]
        self._in_pieces = next((way for way in likely if way in have), likely[0])

    def measured_ways(self) -> list[dict[str, Any]]:
        """One call, and touching each page, as they were measured."""
        found = []
        for ways in WHOLE_WAYS:
            for method in ways:
                runs = self._probes.filter(pl.col("piece_pages").is_null(), method=method)
                p99, total = self._worst_p99(runs), self._totals(runs)
                if p99 is not None and total is not None:
                    found.append(self._trial(method, None, 0.0, "normal", "measured", p99, total))
                    break
        return found

    def largest_piece(self, pause_us: float, priority: str = "normal") -> dict[str, Any]:
        """The largest piece that keeps the target; if none does, the one nearest to it."""
        trials: dict[int, dict[str, Any]] = {}

        def reaches(piece_pages: int) -> bool:
            trials[piece_pages] = self._piece(piece_pages, pause_us, priority)
            return trials[piece_pages]["reaches"]

        _, *pieces = sizes(self.pages)
        found = largest(pieces, reaches)
        if found is None:
            return min(trials.values(), key=lambda trial: trial["p99_ns"])
        return trials[found]

    def confirm(
        self, reaching: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], list[pl.DataFrame], list[dict[str, Any]]]:
        """Measure the quickest way, then the next, until one keeps the target.

        Returns
        -------
        (dict, list of polars.DataFrame, list of dict)
            The way that keeps the target, or else came nearest; all that was measured; and the
            trials of smaller pieces that were added on the way.
        """
        waiting, missed, confirmed, added = list(reaching), [], [], []
        while waiting and len(confirmed) < MOST_CONFIRMED:
            tried = min(waiting, key=lambda trial: trial["total_ns"])
            waiting.remove(tried)
            found = _measured_again(tried, self.pages, self._target_ns)
            confirmed.append(found)
            if found["keeps"].all():
                return tried, confirmed, added
            missed.append((tried, found["p99_ns"].to_numpy().max()))
            if smaller := (tried["piece_pages"] or 0) // 2:
                added.append(self._piece(smaller, tried["pause_us"], "normal"))
                waiting.append(added[-1])
        nearest, _ = min(missed, key=lambda each: each[1])
        return nearest, confirmed, added

    def _piece(self, piece_pages: int, pause_us: float, priority: str) -> dict[str, Any]:
        figures = [
            self._predicted(piece_pages, pause_us, priority, placement) for placement in PLACEMENTS
        ]
        p99s, totals = (
            np.array([[one[what] for one in each] for each in figures]).max(axis=0)
            for what in ("p99", "total")
        )
        p99, total = (
            Span(float(np.median(each)), each.min(), each.max()) for each in (p99s, totals)
        )
        method = self._in_pieces
        trial = self._trial(method, piece_pages, pause_us, priority, "predicted", p99, total)
        if priority == "normal":
            runs = self._probes.filter(method=method, piece_pages=piece_pages, pause_us=pause_us)
            measured = self._worst_p99(runs, together=True)
            if measured is not None:
                trial["reaches"] &= measured.high <= self._target_ns
                trial["basis"] = "predicted, and measured"
        return trial

    def _predicted(
        self, piece_pages: int, pause_us: float, priority: Any, placement: str
    ) -> list[dict[str, float]]:
        probe = Probe(
            method=self._in_pieces,
            pages=self.pages,
            piece_pages=piece_pages,
            pause_us=pause_us,
            locker_cpu=0,
            victim_cpu=int(placement == "other"),
            priority=priority,
        )
        pages = min(self.pages, piece_pages * (PIECES_WITH_PAUSES if pause_us else PIECES))
        runs = list(self._predictor.runs(probe, REPETITIONS * TIMES_MEASURED, pages))
        figures = [summarize(runs[first::TIMES_MEASURED]) for first in range(TIMES_MEASURED)]
        longer = self.pages / pages
        return [each | {"total": each["total"] * longer} for each in figures]

    def _worst_p99(self, runs: pl.DataFrame, together: bool = False) -> Span | None:
        """p99 of the victim's rounds, at the placement where it is longest, over repetitions."""
        rounds = runs.filter(role="victim")
        worst: Span | None = None
        for _, of_cpu in rounds.group_by("probe", maintain_order=True):
            each = [of_cpu] if together else list(of_cpu.iter_slices(1))
            values = [float(np.quantile(entries(one), 0.99, method="inverted_cdf")) for one in each]
            span = Span(float(np.median(values)), min(values), max(values))
            worst = span if worst is None or span.high > worst.high else worst
        return worst

    def _totals(self, runs: pl.DataFrame) -> Span | None:
        values = runs.filter(role="locker")["sum_ns"].to_numpy()
        if not len(values):
            return None
        return Span(float(np.median(values)), float(values.min()), float(values.max()))

    def _trial(
        self,
        method: str,
        piece_pages: int | None,
        pause_us: float,
        priority: str,
        basis: str,
        p99: Span,
        total: Span,
    ) -> dict[str, Any]:
        return {
            "method": method,
            "piece_pages": piece_pages,
            "pause_us": pause_us,
            "priority": priority,
            "basis": basis,
            "reaches": p99.high <= self._target_ns,
            **_columns("p99", p99),
            **_columns("total", total),
        }


def measured_elsewhere(measurement: Measurement) -> str:
    """The kernel and the CPU of a measurement if they are not those here; otherwise empty."""
    here = provenance()
    there = {name: measurement.provenance.get(name) for name in ("kernel", "cpu")}
    if all(value in (None, here.get(name)) for name, value in there.items()):
        return ""
    return ", ".join(value for value in there.values() if value is not None)


def _measured_again(setting: Mapping[str, Any], pages: int, target_ns: int) -> pl.DataFrame:
    placements = PLACEMENTS if len(limits.cpus()) > 1 else PLACEMENTS[:1]
    asked = probes(
        methods=[setting["method"]],
        pieces=[setting["piece_pages"]],
        pauses_us=[setting["pause_us"]],
        placements=placements,
        pages=pages,
    )
    for probe in asked:
        if missing := probe.missing():
            raise LiveError(missing)
    found = measure(asked, repetitions=REPETITIONS, alone=False)
    rounds = found.latencies.filter(role="victim", operation=ALL)
    totals = found.latencies.filter(role="locker", operation=ALL)
    if len(rounds) < len(asked):
        raise LiveError(
            f"pages = {pages}: are locked too quickly for anybody to wait, must be more "
            "(measure --pages)"
        )
    return (
        rounds.join(totals.select("probe", total_ns="p50_ns"), on="probe", how="inner")
        .select(
            "method",
            "piece_pages",
            "pause_us",
            placement=PLACEMENT,
            rounds="count",
            p99_ns="p99_ns",
            max_ns="max_ns",
            total_ns="total_ns",
        )
        .with_columns(keeps=pl.col("p99_ns") <= target_ns)
    )


def _columns(what: str, span: Span) -> dict[str, float]:
    return {f"{what}_ns": span.middle, f"{what}_low_ns": span.low, f"{what}_high_ns": span.high}
