"""The simulator's speed and memory, as `make bench` prints them; not a test.

Every figure is the best of several tries in one process on one core, tracing off, after
warm-up, except where it says otherwise. Beside each stands what the project aims at.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from random import Random

import simpy

from rfcsim import (
    Hold,
    Mlock,
    Mmap,
    Munlock,
    Munmap,
    Region,
    Scenario,
    TaskGroup,
    load_costs,
    preset,
    simulate,
    sweep,
)
from rfcsim.orders.problem import problem_of
from rfcsim.race.layout import grant
from rfcsim.race.search import Exploration, search_all
from rfcsim.runs.replicate import usable_cpus
from tests.simpy_model.lock import HandOverLock
from tests.spin.judge import outcomes
from tests.spin.scenarios import SCENARIOS
from tests.spin.test_agreement import scenario

SECOND_NS = 10**9
THINK_NS = 100_000
HOLD_NS = 2_000
TASKS = 16
CROWD_PAGES = 5

FIRST_CALL = """
import time
from rfcsim import preset, simulate
scenario = preset("anon-1gb")
began = time.perf_counter()
simulate(scenario)
print(time.perf_counter() - began)
"""

LONG_RUN = """
from rfcsim import simulate
from tests.bench import holders, peak_mebibytes
simulate(holders({seconds}))
print(peak_mebibytes())
"""

LARGE_SEARCH = """
from tests.bench import crowd_scenario, peak_mebibytes, problem_of, search_all
large = search_all(problem_of(crowd_scenario(threads=5, pages=9)), reduce=False, most_gib=7.45)
print(large.states, large.seconds, peak_mebibytes())
"""


def peak_mebibytes() -> float:
    """The most memory that this process has had at a time."""
    # Not ru_maxrss, which a process takes over from the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak is not None
    return int(peak[1]) / 1024


def mappers(seconds: float) -> Scenario:
    """Sixteen threads that map and unmap a page each, about a thousand times a second."""
    return Scenario(
        name="mappers",
        costs="anon-2010",
        cpus=TASKS,
        end_ns=int(seconds * SECOND_NS),
        regions=(Region(name="page", pages=1, mapped=False, one_per="mapper"),),
        tasks=(
            TaskGroup(
                name="mapper",
                count=TASKS,
                repeats=0,
                calls=(
                    Mmap(region="page", think_ns=THINK_NS, think="exponential"),
                    Munmap(region="page"),
                ),
            ),
        ),
    )


def holders(seconds: float) -> Scenario:
    """Sixteen threads that hold the lock now and then, half of them exclusively."""
    return Scenario(
        name="holders",
        costs="anon-2010",
        cpus=TASKS,
        end_ns=int(seconds * SECOND_NS),
        regions=(Region(name="page", pages=1),),
        tasks=tuple(
            TaskGroup(
                name=mode,
                count=TASKS // 2,
                repeats=0,
                calls=(Hold(mode=mode, hold_ns=HOLD_NS, think_ns=THINK_NS, think="exponential"),),
            )
            for mode in ("shared", "exclusive")
        ),
    )


def simpy_holders(seconds: float) -> int:
    """The threads of `holders` in SimPy: the same costs, lock and CPUs; how many holds there were.

    It records less than the simulator does: no histograms, and no context switches.
    """
    costs = {row["cost"]: row["value"] for row in load_costs("anon-2010").frame().to_dicts()}
    environment = simpy.Environment()
    lock = HandOverLock(environment)
    cpus = simpy.Resource(environment, TASKS)
    holds = 0

    def thread(number: int) -> Generator[simpy.Event, object, None]:
        nonlocal holds
        random = Random(number)
        exclusive = number % 2 == 0
        while True:
            yield environment.timeout(int(random.expovariate(1 / THINK_NS)))
            cpu = cpus.request()
            yield cpu
            yield environment.timeout(costs["syscall"])
            granted = lock.request(exclusive)
            if granted.triggered:
                yield environment.timeout(costs["lock"])
            else:
                cpus.release(cpu)
                yield granted
                yield environment.timeout(costs["wake_up"])
                cpu = cpus.request()
                yield cpu
            yield environment.timeout(HOLD_NS)
            lock.release(exclusive)
            yield environment.timeout(costs["lock"])
            cpus.release(cpu)
            holds += 1

    for number in range(TASKS):
        environment.process(thread(number))
    environment.run(until=seconds * SECOND_NS)
    return holds


def best_seconds(work: Callable[[], object], tries: int = 5) -> float:
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def in_new_process(program: str, **environment: str) -> list[float]:
    """The numbers that a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.getcwd()} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


def crowd_scenario(threads: int = 3, pages: int = 8) -> Scenario:
    """An mlock, and threads that unlock and map over all its pages, one a batch."""
    others = (Munlock(region="a"), Mmap(region="a"))
    return Scenario(
        name="crowd",
        costs="anon-2010",
        design="batched",
        batch_pages=1,
        regions=(Region(name="a", pages=pages, gap_pages=0),),
        tasks=(
            TaskGroup(name="locker", calls=(Mlock(region="a"),)),
            TaskGroup(name="other", count=threads, calls=others),
        ),
    )


def spin_crowd() -> Scenario:
    """SPIN's largest scenario, as the checker takes it."""
    return scenario(SCENARIOS["crowd"](CROWD_PAGES), "batched", pages=CROWD_PAGES, batch=1)


def best_search(scenario: Scenario, *, policy: int = grant.ANY, reduce: bool) -> Exploration:
    """The search for all states of a scenario; the fastest of several."""
    problem = problem_of(scenario)
    tries = [search_all(problem, policy=policy, reduce=reduce) for _ in range(5)]
    return min(tries, key=lambda exploration: exploration.seconds)


def states_a_second(exploration: Exploration) -> str:
    return f"{exploration.states / exploration.seconds / 1e6:.2f} M"


def sweep_of_designs(replications: int, threads: int) -> None:
    """Six points, on anonymous memory; a run takes a millisecond or two."""
    over = {"design": ["exclusive", "batched"], "batch_pages": [64, 256, 1024]}
    sweep(preset("anon-1gb"), over, replications=replications, threads=threads)


def row(what: str, figure: str, aim: str) -> None:
    print(f"{what:<58} {figure:>16}   {aim}", flush=True)


def main() -> None:
    row("", "measured", "aim")
    with tempfile.TemporaryDirectory() as cache:
        for what, aim in (("first call, compiled", "< 15 s"), ("first call, from cache", "< 1 s")):
            (seconds,) = in_new_process(FIRST_CALL, NUMBA_CACHE_DIR=cache)
            row(f"{what} (a process of its own)", f"{seconds:.2f} s", aim)

    busy = mappers(seconds=2.0)
    events = simulate(busy).events
    rate = events / best_seconds(lambda: simulate(busy))
    row(f"events a second, {TASKS} tasks that map and unmap", f"{rate / 1e6:.1f} M", "> 10 M")

    incident = preset("ps-20gb")
    simulate(incident)
    seconds = best_seconds(lambda: simulate(incident))
    row("mlock of 20 GB of uncached file, by jumps", f"{seconds:.3f} s", "< 0.2 s")
    seconds = best_seconds(lambda: simulate(incident, jump=False))
    row("mlock of 20 GB of uncached file, page by page", f"{seconds:.3f} s", "< 1.5 s")

    locking = holders(seconds=5.0)
    holds = int(simulate(locking).calls["count"].sum())
    ours = holds / best_seconds(lambda: simulate(locking))
    theirs = simpy_holders(0.2) / best_seconds(lambda: simpy_holders(0.2), tries=3)
    row(f"holds a second, {TASKS} tasks", f"{ours / 1e6:.2f} M", "")
    row("the same in SimPy", f"{theirs / 1e6:.3f} M", "")
    row("ratio", f"{ours / theirs:.0f} x", "> 20 x")
    newest = locking.replace(lock_policy="reader-stealing")
    simulate(newest)
    each = [best_seconds(lambda case=case: simulate(case)) for case in (newest, locking)]
    made = [simulate(case).events for case in (newest, locking)]
    ratio = each[0] / made[0] / (each[1] / made[1])
    row("an event under 5.11's policy, by one first-in-first-out", f"{ratio:.2f} x", "< 1.5 x")

    small = mappers(seconds=0.001)
    seconds = best_seconds(lambda: [simulate(small) for _ in range(100)]) / 100
    row("simulate() of a virtual millisecond of those tasks", f"{seconds * 1e3:.2f} ms", "")
    cpus = usable_cpus()
    replications = 50 * cpus
    sweep_of_designs(replications=1, threads=1)
    alone, together = (
        best_seconds(lambda threads=threads: sweep_of_designs(replications, threads), tries=5)
        for threads in (1, cpus)
    )
    what = f"a sweep of {6 * replications} runs on {cpus} threads, by one"
    row(what, f"{alone / together:.2f} x", f"> {0.9 * cpus:.1f} x")

    crowd = crowd_scenario()
    full = best_search(crowd, reduce=False)
    row("states a second, checker, no reduction", states_a_second(full), "> 3 M")
    row("... bytes a state", f"{full.nbytes / full.states:.0f}", "< 160")
    fifo = best_search(crowd, policy=grant.FIFO, reduce=False)
    row("... under one policy", states_a_second(fifo), "")
    verdict = best_search(crowd, reduce=True).seconds
    row("... to a verdict, without reduction by with", f"{full.seconds / verdict:.0f} x", "")
    for reduce, words in ((False, "no reduction"), (True, "its reduction")):
        judged = outcomes("crowd", "batched", "any", CROWD_PAGES, 1, reduction=reduce)
        rate = judged.states / judged.seconds
        row(f"SPIN, five tasks, {words}: states a second", f"{rate / 1e6:.2f} M", "")
        found = best_search(spin_crowd(), reduce=reduce)
        row("the checker on the same", states_a_second(found), "> 3 M" if not reduce else "")
        ratio = judged.seconds / found.seconds
        row("time to a verdict, SPIN's by ours", f"{ratio:.1f} x", "> 3 x")
    states, seconds, mebibytes = in_new_process(LARGE_SEARCH)
    row("a large search: states", f"{states / 1e6:.1f} M", "> 50 M")
    row("... states a second", f"{states / seconds / 1e6:.2f} M", "")
    row("... peak memory", f"{mebibytes:,.0f} MiB", "< 7,629 MiB")

    (short,), (long,) = (in_new_process(LONG_RUN.format(seconds=s)) for s in (1, 100))
    row("peak memory, one virtual second", f"{short:.0f} MiB", "")
    row("peak memory, a hundred of them", f"{long:.0f} MiB", "the same")


if __name__ == "__main__":
    main()
