"""The jitted clock as the twin's tests see it: the one place that touches its arrays."""

from bisect import bisect_right
from collections import Counter
from typing import Any

import numpy as np

from rfcsim.clock.engine import run
from rfcsim.clock.layout import clock, event, run_status, sched, span
from rfcsim.clock.machine import Machine
from rfcsim.histogram import bucket_bounds
from rfcsim.model.layout import call, mm, reg
from rfcsim.runs.prepare import machine_of
from rfcsim.scenario.scenario import Scenario
from tests.twin.outcome import Outcome

TRACE_CAPACITY = 20_000

LOWS, HIGHS = (bounds.tolist() for bounds in bucket_bounds())


def run_engine(
    scenario: Scenario,
    costs: np.ndarray,
    seed: int = 0,
    replication: int = 0,
    *,
    jump: bool = True,
    trace_capacity: int = TRACE_CAPACITY,
    most_events: int = 1_000_000,
) -> Machine:
    """Run a scenario to its end on the jitted clock, about `most_events` events at a time."""
    machine = machine_of(
        scenario,
        costs,
        seed=seed,
        replication=replication,
        trace_capacity=trace_capacity,
        jump=jump,
    )
    status = run_status.RUNNING
    while status == run_status.RUNNING:
        status = run(machine, most_events)
    assert status == run_status.FINISHED
    assert machine.clock[clock.TRACED] <= trace_capacity or trace_capacity == 0
    return machine


def bits(machine: Machine) -> dict[str, bytes]:
    """Every array of a machine, without whether it jumps and how many events that took."""
    scalars = np.delete(machine.clock, [clock.JUMP, clock.EVENTS])
    arrays = machine._asdict() | machine.state._asdict() | {"clock": scalars}
    del arrays["state"]
    return {name: array.tobytes() for name, array in arrays.items()}


def seen_on_engine(machine: Machine) -> dict[str, Any]:
    """All that a run recorded and left behind, in plain Python."""
    process = machine.state.mm
    traced = min(int(machine.clock[clock.TRACED]), len(machine.trace))
    classes = range(len(machine.statistics))
    return {
        "trace": [
            (time, event.NAMES[number], task, a, b)
            for time, number, task, a, b in machine.trace[:traced].tolist()
        ],
        "vmas": [tuple(row) for row in machine.state.vmas[: process[mm.MAP_COUNT]].tolist()],
        "pages": machine.state.pages.tolist(),
        "locked_vm": int(process[mm.LOCKED_VM]),
        "total_vm": int(process[mm.TOTAL_VM]),
        "next_identity": int(process[mm.NEXT_IDENTITY]),
        "def_flags": int(process[mm.DEF_FLAGS]),
        "killed": set(np.flatnonzero(machine.state.tasks[:, reg.KILLED]).tolist()),
        "statistics": {
            (number, name): tuple(machine.statistics[number, record].tolist())
            for number in classes
            for record, name in enumerate(span.NAMES)
        },
        "histograms": {
            (number, name): {
                LOWS[bucket]: int(machine.histograms[number, record, bucket])
                for bucket in np.flatnonzero(machine.histograms[number, record])
            }
            for number in classes
            for record, name in enumerate(span.NAMES)
        },
        "calls": {
            (number, made): tuple(machine.calls[number, made].tolist())
            for number in classes
            for made in range(call.COUNT)
        },
        "tasks": machine.schedule[:, [sched.CALLS, sched.LAST_RETURN]].tolist(),
        "elapsed_ns": int(machine.clock[clock.NOW]),
    }


def seen_on_twin(outcome: Outcome, classes: int) -> dict[str, Any]:
    """The same for a run of the twin. The statistics are computed from the single values."""
    space = outcome.space
    times = {
        (number, name): outcome.times.get((number, name), [])
        for number in range(classes)
        for name in span.NAMES
    }
    calls = {
        (number, made): outcome.calls.get((number, made), [])
        for number in range(classes)
        for made in range(call.COUNT)
    }
    return {
        "trace": outcome.trace,
        "vmas": [
            (
                vma.start,
                vma.end,
                vma.flags,
                vma.backing,
                vma.identity,
                vma.read_position,
                vma.read_misses,
            )
            for vma in space.vmas
        ],
        "pages": [page.bits() for page in space.pages],
        "locked_vm": space.locked_vm,
        "total_vm": space.total_vm,
        "next_identity": space.next_identity,
        "def_flags": space.def_flags,
        "killed": space.killed,
        "statistics": {
            key: (len(values), sum(values), max(values, default=0)) for key, values in times.items()
        },
        "histograms": {
            key: dict(Counter(bucket_of(value) for value in values))
            for key, values in times.items()
        },
        "calls": {
            key: (
                len(made),
                sum(value < 0 for _, value in made),
                sum(ns for ns, _ in made),
                max((ns for ns, _ in made), default=0),
            )
            for key, made in calls.items()
        },
        "tasks": [[len(values), values[-1] if values else 0] for values in outcome.returned],
        "elapsed_ns": outcome.elapsed_ns,
    }


def bucket_of(value: int) -> int:
    """The low bound of the histogram's bucket that the value falls into."""
    bucket = bisect_right(LOWS, value) - 1
    assert LOWS[bucket] <= value <= HIGHS[bucket]
    return LOWS[bucket]
