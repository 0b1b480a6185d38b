"""How long a writer waits behind a locker that gives the lock up between pieces, by policy.

Source: kernel-facts 2.6 to 2.8, and measurements on 6.18 (the traces in data/traces).
"""

import polars as pl
import pytest

from rfcsim import Hold, Mlock, Region, Scenario, TaskGroup, load_costs, simulate

PAGES = 131_072
PAGE_NS = load_costs("vm-6.18").costs["mlock_anon_ns"].value
WAKE_UP_NS = load_costs("vm-6.18").costs["wake_up_ns"].value
MS = 1_000_000
SPIN_NS = 10_000  # how long a writer spins on the CPU of the reader that holds the lock


def victims_wait(piece: int = 256, pause_ns: int = 0, **changes):
    """The wait of a writer that comes now and then, each time for 1 us: p50 and maximum, in ns."""
    scenario = Scenario(
        name="pieces",
        design="vma-lock",
        lock_policy="reader-stealing",
        costs="vm-6.18",
        wake_up_preemption=True,
        regions=[Region(name="a", pages=PAGES)],
        tasks=[
            TaskGroup(
                name="locker",
                cpu=0,
                calls=[Mlock(region="a", piece_pages=piece, pause_ns=pause_ns)],
            ),
            TaskGroup(
                name="victim",
                cpu=1,
                repeats=0,
                calls=[Hold(mode="exclusive", hold_ns=1000, think_ns=2 * MS, think="exponential")],
            ),
        ],
    ).replace(**changes)
    waits = simulate(scenario, seed=3).waits
    row = waits.row(by_predicate=pl.col("class") == "victim", named=True)
    return row["p50_ns"], row["max_ns"]


@pytest.mark.parametrize("piece", [32, 256, 1024])
def test_a_re_locking_reader_steals_until_the_hand_off(piece):
    """Measured on 6.18: 4 to 8 ms for one write lock behind pieces of 32 to 1024 pages."""
    p50, longest = victims_wait(piece)
    assert 4 * MS < p50 < 8.5 * MS
    # Two ticks, then a release must wake the sleeper so that it notices, then one more piece.
    assert longest < 8 * MS + 2 * (piece * PAGE_NS + WAKE_UP_NS) + 50_000


@pytest.mark.parametrize(
    "changes",
    [
        {"lock_policy": "fifo"},
        {"lock_policy": "writer-stealing"},
        {"lock_policy": "hand-off"},
        {"lock_policy": "phase-fair"},
        {"tasks.victim.realtime": True},
        {"tasks.victim.cpu": 0},
        {"pause_ns": 2 * WAKE_UP_NS},
    ],
    ids=str,
)
def test_about_half_a_piece_where_the_reader_cannot_steal(changes):
    """Under another policy, for a real-time waiter, on one CPU, or with a pause between pieces."""
    pause_ns = changes.pop("pause_ns", 0)
    p50, longest = victims_wait(pause_ns=pause_ns, **changes)
    piece_ns = 256 * PAGE_NS
    assert 0.3 * piece_ns < p50 < 0.8 * piece_ns
    assert longest < piece_ns + 2 * WAKE_UP_NS


def test_a_pause_shorter_than_a_wake_up_does_not_help():
    p50, _ = victims_wait(pause_ns=WAKE_UP_NS // 2)
    assert p50 > 4 * MS


@pytest.mark.parametrize("realtime", [False, True])
def test_a_real_time_writer_does_not_spin(realtime):
    """It could keep the reader that it waits for off the CPU: rwsem_optimistic_spin, 5.3 on."""
    _, longest = victims_wait(1, **{"tasks.victim.cpu": 0, "tasks.victim.realtime": realtime})
    assert (longest < SPIN_NS) == realtime


def test_one_call_for_all_is_one_hold_whatever_the_policy():
    _, longest = victims_wait(PAGES)
    assert longest > 0.9 * PAGES * PAGE_NS


@pytest.mark.parametrize("policy", ["fifo", "reader-stealing", "phase-fair"])
def test_pages_in_jumps_or_one_by_one_are_the_same(policy):
    scenario = Scenario(
        name="both",
        design="vma-lock",
        lock_policy=policy,
        costs="vm-6.18",
        wake_up_preemption=True,
        regions=[Region(name="a", pages=3000), Region(name="v", pages=1)],
        tasks=[
            TaskGroup(name="locker", count=2, calls=[Mlock(region="a", piece_pages=100)]),
            TaskGroup(
                name="victim",
                count=2,
                cpu=0,
                repeats=40,
                calls=[Hold(mode="exclusive", hold_ns=500, think_ns=90_000, think="uniform")],
            ),
        ],
    )
    jumps, pages = (simulate(scenario, jump=jump, trace=20_000) for jump in (True, False))
    assert jumps.trace.equals(pages.trace) and jumps.waits.equals(pages.waits)
    assert jumps.elapsed_ns == pages.elapsed_ns
