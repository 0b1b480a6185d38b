"""The part of a sweep that runs elsewhere, in a thread, a process or a cluster: some runs."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rfcsim._jit import fingerprint
from rfcsim.clock import restart
from rfcsim.errors import RfcsimError
from rfcsim.experiment.result import Result
from rfcsim.experiment.rows import Numbers, Recorded, numbers_of, recorded
from rfcsim.experiment.scenario import Scenario
from rfcsim.experiment.simulate import play, prepare
from rfcsim.version import __version__

# After so long a worker returns what it has: no more is lost with it, and the rest can be shared.
SECONDS_A_STRETCH = 0.5


class Stretch(NamedTuple):
    """Runs [first, end) of a sweep, which are numbered point by point, replication by replication.

    Attributes
    ----------
    first, end : int
    replications : int
        Runs a point.
    seed : int
    points : tuple of (Scenario, int64[N_COSTS])
        From point first // replications on.
    """

    first: int
    end: int
    replications: int
    seed: int
    points: tuple[tuple[Scenario, np.ndarray], ...]

    def rest(self, first: int) -> list["Stretch"]:
        """What is left from a run on, in two halves, so that more workers can share it."""
        middle = (first + self.end + 1) // 2
        return [
            self._part(start, end)
            for start, end in ((first, middle), (middle, self.end))
            if start < end
        ]

    def _part(self, first: int, end: int) -> "Stretch":
        skipped = first // self.replications - self.first // self.replications
        return self._replace(first=first, end=end, points=self.points[skipped:])


class Played(NamedTuple):
    """What became of a stretch.

    Attributes
    ----------
    end : int
        Its runs up to here, exclusive, are done.
    numbers : Numbers
    problem : str or None
        Why run `end` cannot be done.
    engine : str
        What it ran on; see `engine`.
    """

    end: int
    numbers: Numbers
    problem: str | None
    engine: str


def engine() -> str:
    """The version, and the content hash of the compiled sources: what rows depend on besides."""
    return f"{__version__}, engine {fingerprint()}"


def run_stretch(stretch: Stretch, stop: threading.Event | None = None) -> Played:
    """Run a stretch, or as much of it as half a second allows, and at least one run.

    Raises
    ------
    Interrupted
        If `stop` was set.
    """
    began = time.monotonic()
    done: list[Recorded] = []
    problem = None
    try:
        for result in _results(stretch, stop):
            done.append(recorded(result))
            if time.monotonic() - began >= SECONDS_A_STRETCH:
                break
    except RfcsimError as error:
        problem = str(error)
    return Played(stretch.first + len(done), numbers_of(stretch.first, done), problem, engine())


def _results(stretch: Stretch, stop: threading.Event | None) -> Iterator[Result]:
    """One run after the other; a result is good until the next."""
    at, machine, fresh = -1, None, None
    for run in range(stretch.first, stretch.end):
        point, replication = divmod(run, stretch.replications)
        scenario, costs = stretch.points[point - stretch.first // stretch.replications]
        if machine is None or point != at:
            machine, fresh = prepare(scenario, costs, stretch.seed, replication), None
            at = point
        else:
            # To copy arrays over is sooner done than to build them, and needs no interpreter.
            fresh = fresh or prepare(scenario, costs, stretch.seed, replication)
            restart(machine, fresh, stretch.seed, replication)
        yield play(scenario, machine, stop=stop)
