"""The part of a sweep that runs elsewhere, in a thread, a process or a cluster: some runs."""

import threading
import time
from typing import NamedTuple

import numpy as np

from rfcsim._jit import fingerprint
from rfcsim.errors import RfcsimError
from rfcsim.experiment.rows import Numbers, numbers_of
from rfcsim.experiment.scenario import Scenario
from rfcsim.experiment.simulate import run_once
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


def play(stretch: Stretch, stop: threading.Event | None = None) -> Played:
    """Run a stretch, or as much of it as half a second allows, and at least one run.

    Raises
    ------
    Interrupted
        If `stop` was set.
    """
    began = time.monotonic()
    done: list[Numbers] = []
    problem = None
    run = stretch.first
    while run < stretch.end and (not done or time.monotonic() - began < SECONDS_A_STRETCH):
        point, replication = divmod(run, stretch.replications)
        scenario, costs = stretch.points[point - stretch.first // stretch.replications]
        try:
            result = run_once(scenario, costs, stretch.seed, replication, stop=stop)
        except RfcsimError as error:
            problem = str(error)
            break
        done.append(numbers_of(run, result))
        run += 1
    return Played(run, Numbers.together(done), problem, engine())
