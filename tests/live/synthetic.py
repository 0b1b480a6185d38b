"""A synthetic measurement: what would have been measured on a machine with known costs."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from rfcsim import CostTable, Mlock, Mmap, Munmap, Populate, Region, Scenario, TaskGroup
from rfcsim.histogram import bucket_of
from rfcsim.live.calibrate import SLEEP_NS
from rfcsim.live.loops import STAT_COUNT, STAT_MAX_NS, STAT_MIN_NS, STAT_SUM_NS, new_recorder
from rfcsim.live.measurement import ALL, PAUSE, RECORD_SCHEMA, SETTINGS, Measurement, record
from rfcsim.live.probe import Probe
from rfcsim.runs.simulate import run_once

PAGES = 4096
SLEEP_EXTRA_NS = 60_000
NOISE = 0.02  # standard deviation of the logarithm of every time
PROVENANCE = {"kernel": "6.18.1", "hz": "250", "vmas": "100", "timer_slack_ns": "50000"}


def measurement_of(table: CostTable, seed: int, repetitions: int = 9) -> Measurement:
    """Single operations by the cost of each; whole ranges and a victim's rounds by simulation."""
    draws = np.random.default_rng(seed)
    rows: list[dict] = []
    for repetition in range(repetitions):
        for row in (*_alone(table, draws), *_probes(table, draws)):
            rows.append({"repetition": repetition} | row)
    return Measurement(pl.DataFrame(rows, RECORD_SCHEMA), PROVENANCE)


def _alone(table: CostTable, draws: np.random.Generator) -> Iterator[dict]:
    cost = {name.removesuffix("_ns"): row.value for name, row in table.costs.items()}
    locked = cost["syscall"] + 2 * cost["lock"]  # a call and its lock
    calls = {  # experiment: how long each of its steps takes
        "syscall": [cost["syscall"]],
        "populate-present-page": [locked + cost["vma_visit"]],
        "maps": [int(PROVENANCE["vmas"]) * cost["maps_vma"]],
    }
    pages = {
        "zero-mlock": [cost["mlock_zero"]],
        "file-mlock": [cost["mlock_file"]],
        "populate": [cost["mlock_anon"], cost["mlock_present"], cost["munlock_page"]],
        "fault": [cost["syscall"] + cost["fault_anon"], cost["touch"], cost["unmap_page"]],
        "zero-fault": [cost["syscall"] + cost["fault_zero"]],
        "file-fault": [cost["syscall"] + cost["fault_file"]],
    }
    for of_pages, experiments in ((1, calls), (1024, pages)):
        for experiment, steps in experiments.items():
            about = {"experiment": experiment, "role": "alone"}
            for step, ns in enumerate(steps):
                yield from _row(about, "call", [ns * of_pages] * 50, draws, step, of_pages)
    woken = {"wake-other-cpu": cost["wake_up"], "wake-busy-cpu": cost["switch"]}
    for experiment, ns in woken.items():
        about = {"experiment": experiment, "role": "alone", "priority": "normal"}
        yield from _row(about, "wake-up", [cost["syscall"] + ns] * 50, draws)
    about = {"experiment": "sleep-40us", "role": "alone"}
    yield from _row(about, PAUSE, [SLEEP_NS + SLEEP_EXTRA_NS] * 50, draws)
    about = {"experiment": "slice", "role": "alone"}
    yield from _row(about, "run", [cost["timeslice"]] * 20, draws)


def _probes(table: CostTable, draws: np.random.Generator) -> Iterator[dict]:
    victim = (Mmap(region="scratch"), Munmap(region="scratch"))
    own_ns = elapsed_ns(table, victim)
    for placement in (0, 1):
        probe = Probe(method="touch", pages=PAGES, locker_cpu=0, victim_cpu=placement)
        yield from _row(_about(probe, "victim"), ALL, [own_ns] * 200, draws)
        methods = {
            "mlock": (Mlock(region="data"),),
            "onfault-populate": (Populate(region="data"),),
        }
        for method, calls in methods.items():
            probe = Probe(method=method, pages=PAGES, locker_cpu=0, victim_cpu=placement)  # pyright: ignore
            about = _about(probe, "locker")
            operation = "mlock" if method == "mlock" else "madvise(MADV_POPULATE_WRITE)"
            yield from _row(about, operation, [elapsed_ns(table, calls)], draws, 0, PAGES)


def elapsed_ns(table: CostTable, calls: Sequence) -> int:
    """How long some calls take, one after another, with nobody in their way."""
    scenario = Scenario(
        name="alone",
        design="vma-lock",
        lock_policy="reader-stealing",
        costs=table.name,
        regions=[Region(name="data", pages=PAGES), Region(name="scratch", pages=1, mapped=False)],
        tasks=[TaskGroup(name="locker", calls=calls)],  # pyright: ignore
    )
    return run_once(scenario, table.values.copy(), 0, 0).elapsed_ns


def _about(probe: Probe, role: str) -> dict:
    settings = {name: getattr(probe, name) for name in SETTINGS}
    number = 2 * (probe.method != "touch") + int(probe.victim_cpu or 0)
    return {"experiment": "probe", "probe": number, "role": role} | settings


def _row(
    about: dict,
    operation: str,
    times_ns: Sequence[int],
    draws: np.random.Generator,
    step: int | None = None,
    covered_pages: int | None = None,
) -> Iterator[dict]:
    recorder = new_recorder(1)
    noisy = np.array(times_ns) * draws.lognormal(0, NOISE, len(times_ns))
    for ns in noisy.round().astype(np.int64):
        recorder.histograms[0, bucket_of(ns)] += 1
    recorder.statistics[0, [STAT_COUNT, STAT_SUM_NS, STAT_MIN_NS, STAT_MAX_NS]] = (
        len(noisy),
        noisy.round().sum(),
        noisy.min().round(),
        noisy.max().round(),
    )
    pages = None if covered_pages is None else covered_pages * len(noisy)
    yield from record(recorder, 0, about, operation, step=step, covered_pages=pages)
