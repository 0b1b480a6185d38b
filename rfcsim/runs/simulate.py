"""Run a scenario on the clock."""

import threading
from collections.abc import Callable

import numpy as np

from rfcsim.clock import run
from rfcsim.clock.layout import clock, run_status, sched
from rfcsim.clock.machine import Machine
from rfcsim.errors import ScenarioError
from rfcsim.model.layout import call, reg, thread
from rfcsim.runs.prepare import prepare
from rfcsim.runs.result import Result
from rfcsim.scenario.costs import cost_values
from rfcsim.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share of the work that is done, 0 to 1

# Between two chunks, several times a second, a run can be interrupted and tells how far it is.
EVENTS_A_CHUNK = 1_000_000


class Interrupted(Exception):
    """The run was told to stop."""


def simulate(
    scenario: Scenario,
    *,
    seed: int = 0,
    replication: int = 0,
    trace: int = 0,
    jump: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Run a scenario once; the same arguments give the same bits.

    Parameters
    ----------
    scenario : Scenario
    seed, replication : int
        The key of the random numbers, 0 to 2**63 - 1 each. Two designs that are compared under one
        key see the same draws.
    trace : int
        How many events of the trace to keep, from the start of the run; 0 keeps none.
    jump : bool
        Advance over the pages of one hold at once, not page by page. The result is the same.
    progress : callable, optional
        Called now and then with the share of the run that is done, 0 to 1.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    costs = cost_values(scenario.costs)
    return run_once(scenario, costs, seed, replication, trace, jump, progress)


def run_once(
    scenario: Scenario,
    costs: np.ndarray,
    seed: int,
    replication: int,
    trace: int = 0,
    jump: bool = True,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Result:
    """Run a scenario with costs that are already loaded; see `simulate`.

    Parameters
    ----------
    costs : int64[cost.COUNT]
    stop : threading.Event, optional
        Set by another thread to end the run early.

    Raises
    ------
    Interrupted
        If `stop` was set.
    """
    return play(scenario, prepare(scenario, costs, seed, replication, trace, jump), progress, stop)


def play(
    scenario: Scenario,
    machine: Machine,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Result:
    """Run a machine to its end; see `run_once`. The result shares its arrays."""
    status = run_status.RUNNING
    while status == run_status.RUNNING:
        if stop is not None and stop.is_set():
            raise Interrupted
        status = run(machine, EVENTS_A_CHUNK)
        if progress is not None:
            progress(_share_done(machine) if status == run_status.RUNNING else 1.0)
    if status != run_status.FINISHED:
        raise why_not_finished(scenario, status)
    return Result.of(scenario, machine)


def why_not_finished(scenario: Scenario, status: int) -> Exception:
    """The error for a run that ended without being finished."""
    if status == run_status.ENDLESS:
        return ScenarioError(
            f"costs = {scenario.costs!r}: a task would make calls for ever in no time, "
            "must have costs above 0, or its calls think_ns above 0"
        )
    if status == run_status.DISK_FULL:
        return ScenarioError("tasks: more reads at a time than the disk's queue has room for")
    return RuntimeError("no event is left, but tasks have not finished: a defect of rfcsim")


def _share_done(machine: Machine) -> float:
    """The share of a run that is over: by time if it has an end, else by calls and their pages."""
    end = machine.clock[clock.END]
    if end > 0:
        return min(1.0, float(machine.clock[clock.NOW] / end))
    threads, calls = machine.threads, machine.schedule[:, sched.CALLS]
    registers = machine.state.tasks
    finite = threads[:, thread.REPEATS] > 0
    pages = np.maximum(1, registers[:, reg.END] - registers[:, reg.START])
    within = np.clip((registers[:, reg.NEXT] - registers[:, reg.START]) / pages, 0.0, 1.0)
    within[registers[:, reg.CALL] == call.NONE] = 0.0
    share = (calls + within) / (threads[:, thread.REPEATS] * threads[:, thread.OPS]).clip(1)
    return float(np.minimum(1.0, share[finite]).mean())
