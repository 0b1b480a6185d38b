"""What a probe would find on a machine, according to the model and a calibration."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from rfcsim.live.calibrate import Calibration
from rfcsim.live.probe import Probe
from rfcsim.runs.simulate import run_once
from rfcsim.scenario.calls import Hold, Mlock, Mmap, Munmap, Populate, Touch
from rfcsim.scenario.costs import COST_ROWS, CostTable
from rfcsim.scenario.process import Region, TaskGroup
from rfcsim.scenario.scenario import Scenario

# The methods whose calls in pieces the model has. "lock_memory" counts as setting its flags in one
# call: it sets them before it populates, by whole huge pages, which takes microseconds.
METHODS = ("mlock", "populate", "onfault-populate", "lock_memory")
AFTERWARDS_NS = 2_000_000  # how long the locker stays, so that a round that has begun can end
EVENTS_A_PIECE = 20
OTHER_EVENTS = 100_000


class Run(NamedTuple):
    """One repetition of a probe, as predicted.

    rounds_ns : int64[n], the rounds of the victim
    total_ns : int, the time of the locker
    """

    rounds_ns: np.ndarray
    total_ns: int


@dataclass(frozen=True)
class Predictor:
    """Predicts probes on one machine.

    What differed from run to run in the measurement also differs here: how long a page takes, how
    long a wake-up takes, and, in each round, the victim's own time.

    Attributes
    ----------
    calibration : Calibration
    table : CostTable
    seed : int
    """

    calibration: Calibration
    table: CostTable
    seed: int = 0

    def runs(self, probe: Probe, number: int, pages: int | None = None) -> Iterator[Run]:
        """Predict some repetitions of a probe.

        Parameters
        ----------
        probe : Probe
            Its victim is "mmap", its method one of METHODS, its backing "anonymous".
        number : int
            How many repetitions.
        pages : int, optional
            The range, if it is not that of the probe.
        """
        scenario = scenario_of(probe, self.calibration, pages)
        pieces = -(-scenario.regions[0].pages // (probe.piece_pages or probe.pages))
        conditions = self.calibration.conditions
        draws = np.random.default_rng(self.seed)
        page = draws.permutation(_relative(conditions.page_ns, number))
        wake_up = draws.permutation(_relative(conditions.wake_up_ns, number))
        for repetition in range(number):
            costs = self.table.values.copy()
            for row, factors in (("mlock_anon_ns", page), ("wake_up_ns", wake_up)):
                costs[COST_ROWS[row]] *= factors[repetition]
            rounds_ns, total_ns = _simulated(scenario, costs, repetition, self.seed, pieces)
            waits_ns = np.maximum(0, rounds_ns - self._own_ns)
            own_ns = conditions.own_ns[probe.placement]
            drawn_ns = draws.choice(own_ns if len(own_ns) else [self._own_ns], len(waits_ns))
            yield Run(waits_ns + drawn_ns.astype(np.int64), total_ns)

    @cached_property
    def _own_ns(self) -> int:
        """How long a round of the victim takes in the model with nobody in its way."""
        scenario = Scenario(
            name="own",
            costs=self.table.name,
            design=self.calibration.conditions.design,
            lock_policy=self.calibration.conditions.lock_policy,
            regions=(Region(name="scratch", pages=1, mapped=False),),
            tasks=(TaskGroup(name="victim", calls=_ROUND),),
        )
        return run_once(scenario, self.table.values.copy(), self.seed, 0).elapsed_ns


_ROUND = (Mmap(region="scratch"), Munmap(region="scratch"))


def _relative(values: np.ndarray, number: int) -> np.ndarray:
    """A number of quantiles of some values, each relative to the typical value.

    Even in few runs, each part of the distribution then occurs once, so chance decides less.
    """
    if not len(values):
        return np.ones(number)
    return np.quantile(values, (np.arange(number) + 0.5) / number) / np.median(values)


def scenario_of(probe: Probe, calibration: Calibration, pages: int | None = None) -> Scenario:
    """Write a probe as a scenario.

    Parameters
    ----------
    probe : Probe
        Its victim is "mmap", its method one of METHODS, its backing "anonymous".
    calibration : Calibration
        Its conditions say how long sleeps are, and which rules hold.
    pages : int, optional
        The range, if it is not that of the probe.

    Returns
    -------
    Scenario
        Its task groups are "locker" and "victim". The locker's last call is not part of the probe:
        it lets a round of the victim end.
    """
    conditions = calibration.conditions
    pieces: dict[str, Any] = {}
    if probe.piece_pages is not None and probe.piece_pages < probe.pages:
        pieces["piece_pages"] = probe.piece_pages
        if probe.pause_us:
            asleep = conditions.sleep_extra_ns["normal"] if probe.pause_by == "sleep" else 0
            pieces["pause_ns"] = round(probe.pause_us * 1000) + asleep
    calls = {
        "mlock": [Mlock(region="data", **pieces)],
        "populate": [Populate(region="data", **pieces)],
    }.get(probe.method, [Mlock(region="data", on_fault=True), Populate(region="data", **pieces)])
    sleeps = _sleeps(probe, conditions.sleep_extra_ns[probe.priority])
    return Scenario(
        name="probe",
        costs="measured",  # only a name: the figures are given when it is run
        design=conditions.design,
        lock_policy=conditions.lock_policy,
        cpus=2,
        wake_up_preemption=True,
        regions=(
            Region(name="data", pages=pages or probe.pages),
            Region(name="scratch", pages=1, mapped=False),
            Region(name="own", pages=1, present=True),
        ),
        tasks=(
            TaskGroup(
                name="locker",
                cpu=0,
                calls=(
                    *calls,
                    Hold(mode="shared", hold_ns=0, think_ns=AFTERWARDS_NS),
                ),
            ),
            TaskGroup(
                name="victim",
                cpu=0 if probe.placement == "same" else 1,
                realtime=probe.priority == "fifo",
                repeats=0,
                start_ns=sleeps[0].think_ns,
                start=sleeps[0].think,
                calls=(*sleeps, *_ROUND),
            ),
        ),
    )


def _sleeps(probe: Probe, extra_ns: int) -> list[Touch]:
    """The victim's think time until it runs and reads the clock, which is the end of an access.

    A sleep is an exponential time plus a constant one, because a timer is late and a wake-up takes
    time. A think time of the model is one or the other. So it is two sleeps if it does no harm that
    the victim wakes in between, because it has a CPU of its own; otherwise it is one sleep of the
    same mean.
    """
    mean_ns = round(probe.think_us * 1000)
    if probe.placement == "same":
        return [_sleep(mean_ns + extra_ns, "exponential")]
    return [_sleep(extra_ns, "constant"), _sleep(mean_ns, "exponential")]


def _sleep(ns: int, distribution: Any) -> Touch:
    return Touch(region="own", write=False, think_ns=ns, think=distribution)


def _simulated(
    scenario: Scenario, costs: np.ndarray, replication: int, seed: int, pieces: int
) -> tuple[np.ndarray, int]:
    """The victim's rounds that began while the locker was at work, and how long that took."""
    room = EVENTS_A_PIECE * pieces + OTHER_EVENTS
    result = run_once(scenario, costs, seed, replication, trace=room)
    if result.trace_dropped:
        room += result.trace_dropped
        result = run_once(scenario, costs, seed, replication, trace=room)
    spans = result.spans
    locking = spans.filter(pl.col("class") == "locker", pl.col("call") != "hold")
    ended_ns = int(locking["ended_ns"][-1])
    victim = spans.filter(pl.col("class") == "victim")
    began = victim.filter(call="mmap")["began_ns"].to_numpy()
    ended = victim.filter(call="munmap")["ended_ns"].to_numpy()
    beside = began[: len(ended)] < ended_ns
    return (ended - began[: len(ended)])[beside], ended_ns - int(locking["began_ns"][0])
