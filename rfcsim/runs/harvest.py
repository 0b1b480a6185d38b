"""What a sweep has brought in so far: which runs are done, where their rows are, what is left."""

import contextlib
import math
import time
from concurrent.futures import BrokenExecutor, CancelledError

import numpy as np
import polars as pl

from rfcsim.errors import RfcsimError, SweepError
from rfcsim.runs.grid import Grid
from rfcsim.runs.rows import Numbers, frame_of, order_rows
from rfcsim.runs.simulate import Interrupted, Progress
from rfcsim.runs.store import Store
from rfcsim.runs.worker import Played, Stretch, engine

# A stretch is this share of what is left per worker: long at first, so that workers seldom meet in
# the interpreter, and short at the end, so that they finish together. Source: guided
# self-scheduling, C. D. Polychronopoulos and D. J. Kuck, IEEE Trans. Computers C-36, 1987.
SHARE_A_STRETCH = 0.5
WORKERS = 64  # how many to assume if nobody says
# What is done is written after a second, or in a long sweep after a hundredth of the time that it
# has taken, so that there are hundreds of parts and not hundreds of thousands.
SECONDS_A_PART = 1.0
SHARE_A_PART = 0.01


class Harvest:
    """The rows of a sweep while they come in.

    Parameters
    ----------
    grid : Grid
    replications, seed : int
    store : Store, optional
        Where rows are made safe; its lock is held.
    report : callable, optional
        Called with the share of the runs that is done.
    """

    def __init__(
        self,
        grid: Grid,
        replications: int,
        seed: int,
        store: Store | None,
        report: Progress | None,
    ) -> None:
        self._grid = grid
        self._replications = replications
        self._seed = seed
        self._store = store
        self._report = report
        self._done = np.zeros(len(grid.points) * replications, bool)
        self._frames = [self._frame([])]  # an empty frame, then those that are safe
        self._new: list[tuple[Numbers, list[int]]] = []
        self._began = self._saved = time.monotonic()
        for frame, runs in store.safe() if store is not None else ():
            of_part = np.concatenate([np.arange(first, end) for first, end in runs])
            if not self._done[of_part].any():  # else an interrupt caused it to be written twice
                self._frames.append(frame)
                self._done[of_part] = True
        self._safe = int(self._done.sum())
        self.tell()

    def missing(self, workers: int) -> list[Stretch]:
        """The runs that are not done, in the grid's order, as stretches that get shorter."""
        edges = np.flatnonzero(np.diff(self._done, prepend=True, append=True))
        left = int((~self._done).sum())
        stretches = []
        for start, stop in edges.reshape(-1, 2).tolist():
            while start < stop:
                size = math.ceil(SHARE_A_STRETCH * left / workers)
                end = min(start + size, stop)
                stretches.append(self._stretch(start, end))
                left -= end - start
                start = end
        return stretches

    def take(self, stretch: Stretch, played: Played) -> None:
        """Take in the outcome of a stretch; RfcsimError if the sweep cannot go on after it."""
        if played.engine != engine():
            raise RfcsimError(f"executor: a worker has rfcsim {played.engine}, must be {engine()}")
        self._done[stretch.first : played.end] = True
        self._new.append((played.numbers, [stretch.first, played.end]))
        if self.seconds_to_save() == 0:
            self.save()
        if played.problem is not None:
            point = self._grid.points[played.end // self._replications]
            raise RfcsimError(f"{played.problem} (at {point.words()})")

    def tell(self) -> None:
        """Report how much is done."""
        if self._report is not None:
            self._report(float(self._done.mean()))

    def seconds_to_save(self) -> float | None:
        """How long new rows may wait for more before they are saved; None if there are none."""
        if not self._new:
            return None
        now = time.monotonic()
        due = self._saved + max(SECONDS_A_PART, SHARE_A_PART * (now - self._began))
        return max(0.0, due - now)

    def save(self) -> None:
        """Make the new rows safe."""
        frame = self._frame(self._new)
        if self._store is not None and self._new:
            self._store.append(frame, [runs for _, runs in self._new])
        self._frames.append(frame)
        self._new = []
        self._safe = int(self._done.sum())
        self._saved = time.monotonic()

    def finish(self) -> pl.DataFrame:
        """Finish the sweep: return all rows, after writing them to the file if there is one.

        Raises
        ------
        SweepError
            If the file cannot be written.
        """
        try:
            self.save()
            frame = self._rows()
            if self._store is not None:
                self._store.finish(frame)
        except RfcsimError as error:
            raise self.stopped(error) from None
        return frame

    def stopped(self, error: BaseException) -> BaseException:
        """The error that says why the sweep stopped, and which rows are safe."""
        with contextlib.suppress(RfcsimError):
            self.save()
        if isinstance(error, RfcsimError):
            return SweepError(f"{error}; {self._what_is_safe()}", self._rows())
        if isinstance(error, BrokenExecutor | CancelledError) or _is_of_dask(error):
            reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
            died = f"{type(error).__name__}{reason and f': {reason}'}"
            return SweepError(f"executor died, {died}; {self._what_is_safe()}", self._rows())
        if not isinstance(error, Interrupted):
            error.add_note(self._what_is_safe())
        return error

    def _what_is_safe(self) -> str:
        runs = len(self._done)
        if self._store is None:
            return f"the rows of {self._done.sum()} of {runs} runs are in no file, without `to`"
        return (
            f"the rows of {self._safe} of {runs} runs are safe in {self._store.name}.parts, "
            "and the same sweep goes on from there"
        )

    def _rows(self) -> pl.DataFrame:
        return order_rows(pl.concat([*self._frames, self._frame(self._new)]))

    def _frame(self, several: list[tuple[Numbers, list[int]]]) -> pl.DataFrame:
        numbers = Numbers.together([numbers for numbers, _ in several])
        return frame_of(numbers, self._grid, self._replications, self._seed)

    def _stretch(self, first: int, end: int) -> Stretch:
        from_point, to_point = first // self._replications, (end - 1) // self._replications
        points = self._grid.points[from_point : to_point + 1]
        pairs = tuple((point.scenario, point.costs) for point in points)
        return Stretch(first, end, self._replications, self._seed, pairs)


def _is_of_dask(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "distributed"
