"""Measure on this kernel who waits for mmap_lock, and what that wait is made of."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits
from rfcsim.live.bench import new_bench
from rfcsim.live.calls import OPERATION_NAMES, W_DONE, W_PASS
from rfcsim.live.loops import (
    BEGUN,
    CONTROL_SIZE,
    NEVER,
    PASS_SIZE,
    ROUND_SIZE,
    ROW_ALL,
    ROW_FIRST,
    ROW_PAUSE,
    STOP,
    lock_range,
    new_recorder,
    rounds,
)
from rfcsim.live.measurement import ALL, PAUSE, RECORD_SCHEMA, SETTINGS, Measurement, record
from rfcsim.live.micro import NO_THINK, experiments
from rfcsim.live.probe import VICTIMS, Probe, standard_probes
from rfcsim.live.provenance import provenance, stolen_ticks
from rfcsim.live.threads import Work, run_together
from rfcsim.scenario.checked import check_range

REPETITIONS = 3
MOST_S = 1.0
MOST_REPETITIONS = 10_000
THINK_TIMES = 1024  # drawn for each victim, and used over and over
ALONE_S = 0.1  # how long a victim without a locker is watched


def measure(
    probes: Sequence[Probe] | None = None,
    *,
    repetitions: int = REPETITIONS,
    alone: bool = True,
    most_s: float = MOST_S,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Measurement:
    """Measure on this kernel what a thread that makes memory present does to another one.

    Each repetition does every probe, and every operation that is timed alone, once and on fresh
    memory, so that a drift of the machine affects all of them alike. What this machine does not
    allow is left out, and `provenance["left_out"]` says what and why. Affinity and priority are set
    only for the threads of the measurement. At the end, even after Ctrl-C, all memory is given
    back.

    Parameters
    ----------
    probes : sequence of Probe, optional
        By default `standard_probes()`.
    repetitions : int
    alone : bool
        Also time single operations with nobody in their way, for a cost table.
    most_s : float
        A run that takes longer than this, in s, is ended after its current piece.
    seed : int
        The seed of the victims' think times.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Measurement

    Raises
    ------
    LiveError
        If this is not Linux, if it would take memory that others need, if nothing of it is
        allowed, or if a call fails.
    RfcsimError
        If an argument is out of range.
    """
    limits.require_linux("measure")
    _check(repetitions, most_s, seed)
    asked = list(standard_probes() if probes is None else probes)
    left_out = {number: reason for number, probe in enumerate(asked) if (reason := probe.missing())}
    if asked and len(left_out) == len(asked):
        raise LiveError(left_out[0])
    reasons = dict.fromkeys(left_out.values())
    for probe in asked:
        limits.require_memory("measure", probe.memory_bytes())
    _compile()

    about = provenance()
    stolen = stolen_ticks()
    rows: list[dict] = []
    timed = experiments() if alone else []
    steps = repetitions * (len(timed) + len(asked))
    done = 0
    for repetition in range(repetitions):
        for experiment in timed:
            try:
                rows += [{"repetition": repetition} | row for row in experiment()]
            except LiveError as error:
                reasons[str(error)] = None
            done += 1
            report(progress, done / steps)
        for number, probe in enumerate(asked):
            if number not in left_out:
                thinks = _think_times(probe, seed, repetition, number)
                found = _run(probe, thinks, round(most_s * 1e9))
                rows += [{"repetition": repetition, "probe": number} | row for row in found]
            done += 1
            report(progress, done / steps)
    about |= {
        "repetitions": str(repetitions),
        "seed": str(seed),
        "left_out": "; ".join(reasons),
        "load_after": provenance().get("load", ""),
        "stolen_s": str((stolen_ticks() - stolen) / 100),
    }
    return Measurement(pl.DataFrame(rows, RECORD_SCHEMA), about)


def _check(repetitions: int, most_s: float, seed: int) -> None:
    check_range("repetitions", repetitions, 1, MOST_REPETITIONS)
    if not 0 < most_s <= 3600:
        raise RfcsimError(f"most_s = {most_s}: must be more than 0, and 3600 or less")
    check_range("seed", seed, 0, 2**63 - 1)


def report(progress: Callable[[float], None] | None, share: float) -> None:
    """Call `progress`, if there is one, with the share of the work that is done."""
    if progress is not None:
        progress(share)


def _compile() -> None:
    """Compile what runs in threads, so that no thread waits for that while another one runs."""
    control = np.zeros(CONTROL_SIZE, np.int64)
    recorder = new_recorder(ROW_FIRST)
    with new_bench("anonymous", 1) as bench:
        lock_range(np.zeros((0, PASS_SIZE), np.int64), bench, 0, False, 0, control, recorder)
        rounds(np.zeros((0, ROUND_SIZE), np.int64), bench, 0, NO_THINK, 0, 0, control, recorder)


def _think_times(probe: Probe, *seed: int) -> np.ndarray:
    mean_ns = probe.think_us * 1000
    draws = np.random.default_rng(seed[::-1]).exponential(mean_ns, THINK_TIMES)
    return draws.astype(np.int64)


def _run(probe: Probe, think_ns: np.ndarray, most_ns: int) -> list[dict]:
    """One repetition of a probe, on fresh memory."""
    passes = np.array(probe.passes(), np.int64).reshape(-1, PASS_SIZE)
    operations, pages = VICTIMS[probe.victim]
    program = np.array([(operation, 0, 1) for operation in operations])
    step_pages = int(pages > 1)
    control = np.zeros(CONTROL_SIZE, np.int64)
    of_locker = new_recorder(ROW_FIRST + len(passes))
    of_victim = new_recorder(ROW_FIRST + len(program))
    with (
        new_bench(probe.backing, probe.pages) as memory,
        new_bench("anonymous", pages, f"/proc/self/{probe.victim}") as other,
    ):

        def locker() -> int:
            if not len(passes):
                control[BEGUN] = 1
                time.sleep(ALONE_S)
            until_ns = time.monotonic_ns() + most_ns
            pause_ns, spins = round(probe.pause_us * 1000), probe.pause_by == "spin"
            error = lock_range(passes, memory, pause_ns, spins, until_ns, control, of_locker)
            control[STOP] = 1
            return error

        def victim() -> int:
            return rounds(program, other, step_pages, think_ns, NEVER, NEVER, control, of_victim)

        run_together(
            control,
            Work("locker", locker, probe.locker_cpu),
            Work("victim", victim, probe.victim_cpu, probe.priority == "fifo"),
        )
        done = _pages_done(memory.words, len(passes), probe.pages)

    settings = {"experiment": "probe"} | {name: getattr(probe, name) for name in SETTINGS}
    about = settings | {"role": "locker"}
    rows = [*record(of_locker, ROW_PAUSE, about, PAUSE)]
    for step, pass_ in enumerate(passes):
        name, row = OPERATION_NAMES[pass_[0]], ROW_FIRST + step
        rows += record(of_locker, row, about, name, step=step, covered_pages=done[step])
    if done:
        rows += record(of_locker, ROW_ALL, about, ALL, covered_pages=done[-1])

    about = settings | {"role": "victim"}
    rows += record(of_victim, ROW_PAUSE, about, PAUSE)
    for step, operation in enumerate(operations):
        name, row = OPERATION_NAMES[operation], ROW_FIRST + step
        rows += record(of_victim, row, about, name, step=step)
    rows += record(of_victim, ROW_ALL, about, ALL)
    return rows


def _pages_done(words: np.ndarray, passes: int, pages: int) -> list[int]:
    """How many pages of each pass were done."""
    current = int(words[W_PASS])
    return [
        pages if step < current else int(words[W_DONE]) if step == current else 0
        for step in range(passes)
    ]
