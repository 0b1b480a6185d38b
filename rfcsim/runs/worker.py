"""The part of a sweep that a worker runs, in a thread, a process or a cluster: some runs."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rfcsim._jit import fingerprint
from rfcsim.clock import replicate
from rfcsim.clock.layout import clock, run_status
from rfcsim.errors import RfcsimError
from rfcsim.runs.prepare import prepare_pair
from rfcsim.runs.rows import Numbers, Sheet
from rfcsim.runs.simulate import EVENTS_A_CHUNK, Interrupted, why_not_finished
from rfcsim.scenario.scenario import Scenario
from rfcsim.version import __version__

# After this time a worker returns what it has: no more can be lost, and others can share the rest.
SECONDS_A_STRETCH = 0.5
SECONDS_A_CALL = 0.05  # about, per call of the engine: between two, a worker can be told to stop


class Stretch(NamedTuple):
    """Runs [first, end) of a sweep; runs are numbered point by point, replication by replication.

    Attributes
    ----------
    first, end : int
    replications : int
        Runs per point.
    seed : int
    points : tuple of (Scenario, int64[cost.COUNT])
        The points from number first // replications on.
    """

    first: int
    end: int
    replications: int
    seed: int
    points: tuple[tuple[Scenario, np.ndarray], ...]

    def rest(self, first: int) -> list["Stretch"]:
        """The runs from `first` on, in two halves, so that more workers can share them."""
        middle = (first + self.end + 1) // 2
        return [
            self._part(start, end)
            for start, end in ((first, middle), (middle, self.end))
            if start < end
        ]

    def _part(self, first: int, end: int) -> "Stretch":
        offset = self.first // self.replications
        from_point, to_point = first // self.replications, (end - 1) // self.replications
        points = self.points[from_point - offset : to_point + 1 - offset]
        return self._replace(first=first, end=end, points=points)


class Played(NamedTuple):
    """The outcome of a stretch.

    Attributes
    ----------
    end : int
        Its runs before this one are done.
    numbers : Numbers
    problem : str or None
        Why run `end` cannot be done.
    engine : str
        What the worker ran; see `engine`.
    """

    end: int
    numbers: Numbers
    problem: str | None
    engine: str


def engine() -> str:
    """The version, and the content hash of the compiled sources, on which rows also depend."""
    return f"{__version__}, engine {fingerprint()}"


def run_stretch(stretch: Stretch, stop: threading.Event | None = None) -> Played:
    """Run a stretch, or as much of it as half a second allows, and at least one run.

    Raises
    ------
    Interrupted
        If `stop` was set.
    """
    began = time.monotonic()
    done, numbers, problem = stretch.first, [], None
    try:
        for done, some in _batches(stretch, stop):
            numbers.append(some)
            if done > stretch.first and time.monotonic() - began >= SECONDS_A_STRETCH:
                break
    except RfcsimError as error:
        problem = str(error)
    return Played(done, Numbers.together(numbers), problem, engine())


def _batches(stretch: Stretch, stop: threading.Event | None) -> Iterator[tuple[int, Numbers]]:
    """Up to which run a stretch is done, and the rows of those since the last time."""
    run = stretch.first
    for point, (scenario, costs) in enumerate(stretch.points, run // stretch.replications):
        first_run = point * stretch.replications
        machine, fresh = prepare_pair(scenario, costs, stretch.seed, run - first_run)
        sheet = Sheet.for_runs_of(machine)
        end = min(first_run + stretch.replications, stretch.end)
        many = 1
        while run < end:
            if stop is not None and stop.is_set():
                raise Interrupted
            began = time.monotonic()
            most = min(run + many, end) - first_run
            status = replicate(machine, fresh, most, EVENTS_A_CHUNK, *sheet)
            run = first_run + int(machine.clock[clock.REPLICATION])
            yield run, sheet.take(first_run)
            if status not in (run_status.FINISHED, run_status.RUNNING, run_status.NO_ROOM):
                raise why_not_finished(scenario, status)
            # The more runs in one call, the less threads meet in the interpreter.
            if time.monotonic() - began < SECONDS_A_CALL:
                many *= 2
