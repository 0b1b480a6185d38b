"""What these tests share: a small scenario, a table of zero costs, an executor that dies."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import tomli_w

from rfcsim.runs.worker import Played, Stretch
from rfcsim.scenario.costs import COST_ROWS
from rfcsim.scenario.scenario import Scenario

TEXT = """\
name = "small"
costs = "anon-2010"
cpus = 2

[[regions]]
name = "data"
pages = 100

[[regions]]
name = "arena"
pages = 8
one_per = "victim"

[[tasks]]
name = "locker"

[[tasks.calls]]
call = "mlock"
region = "data"

[[tasks]]
name = "victim"
count = 3
repeats = 20
start_ns = 10_000
start = "exponential"

[[tasks.calls]]
call = "touch"
region = "arena"
pick = "random"
think_ns = 2_000
think = "exponential"

[[tasks.calls]]
call = "hold"
mode = "shared"
hold_ns = 50
"""

SMALL = Scenario.from_toml_text(TEXT)


def free_costs(folder: Path) -> Path:
    """A cost table in which no work takes any time."""
    file = folder / "free.toml"
    values = dict.fromkeys(COST_ROWS, 0) | {"timeslice_ns": 10**9, "disk_depth": 1, "tick_ns": 1}
    rows = {
        name: {"value": value, "status": "estimate", "source": "of no machine"}
        for name, value in values.items()
    }
    file.write_text(tomli_w.dumps({"name": "free", "era": "none", "description": "free"} | rows))
    return file


def killed_after_the_first(fn: Callable, stretch: Stretch) -> Played:
    """For an executor of processes: the first stretch is done, the next kills its worker."""
    if stretch.first > 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return fn(stretch)


class Failing(Executor):
    """Does a number of pieces of work, then raises at the next."""

    def __init__(self, pieces: int, error: BaseException, when: str = "result") -> None:
        self.pieces = pieces
        self.error = error
        self.when = when

    def submit(self, fn, /, *args, **kwargs) -> Future:
        self.pieces -= 1
        future: Future = Future()
        if self.pieces >= 0:
            future.set_result(fn(*args, **kwargs))
        elif self.when == "submit":
            raise self.error
        else:
            future.set_exception(self.error)
        return future
