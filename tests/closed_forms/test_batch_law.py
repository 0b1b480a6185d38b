"""The batch law against the clock: how long a writer waits behind batches, by policy and costs."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from rfcsim import (
    Hold,
    Mlock,
    Populate,
    Region,
    RfcsimError,
    Scenario,
    TaskGroup,
    batch_law,
    load_costs,
    simulate,
)
from rfcsim.model.layout import policy as policies
from rfcsim.studies.batch_law import POLICIES

PAGES = 262_144
REPLICATIONS = 12
CONFIDENCE = 0.999
# Requests are rare: on average, this many holds and this many wake-ups lie between two.
HOLDS_APART, WAKE_UPS_APART = 20, 200


def region(backing: str, pages: int) -> Region:
    if backing == "anonymous":
        return Region(name="data", pages=pages)
    cached = backing == "page cache"
    return Region(name="data", pages=pages, backing="file", cached=cached, protection="r")


def locker(law: dict) -> TaskGroup:
    """The locker of a law: batches of the kernel, or pieces of a program."""
    if not law.get("program"):
        return TaskGroup(name="locker", cpu=0, calls=(Mlock(region="data"),))
    piece = Populate(region="data", piece_pages=law["batch"], pause_ns=law.get("pause_ns", 0))
    return TaskGroup(name="locker", cpu=0, calls=(Mlock(region="data", on_fault=True), piece))


def scenario_of(costs: str, law: dict, *others: TaskGroup, pages: int = PAGES) -> Scenario:
    """Every task has a CPU of its own, so that none pays for a switch."""
    return Scenario(
        name="law",
        costs=costs,
        design="vma-lock" if law.get("program") else "batched",
        batch_pages=law["batch"],
        lock_policy=law.get("lock_policy", "fifo"),
        cpus=16,
        regions=(region(law.get("backing", "anonymous"), pages),),
        tasks=(locker(law), *others),
    )


def formula(costs: str, law: dict, **more) -> dict:
    arguments = {key: value for key, value in law.items() if key != "batch"}
    return batch_law(costs, [law["batch"]], **arguments, **more).row(0, named=True)


def rare_waits(costs: str, law: dict) -> np.ndarray:
    """The waits, in ns, of a writer that comes now and then while the locker is at work."""
    wake_up_ns = load_costs(costs).costs["wake_up_ns"].value
    hold_ns = int(formula(costs, law)["hold_ns"])
    about_ns = HOLDS_APART * hold_ns + WAKE_UPS_APART * wake_up_ns
    writer = TaskGroup(
        name="writer",
        cpu=1,
        repeats=0,
        realtime=law.get("realtime", False),
        start_ns=about_ns,
        start="exponential",
        calls=(Hold(mode="exclusive", hold_ns=0, think_ns=about_ns, think="exponential"),),
    )
    waits = []
    for replication in range(REPLICATIONS):
        case = scenario_of(costs, law, writer)
        run = simulate(case, seed=2010, replication=replication, trace=100_000)
        assert run.trace_dropped == 0
        ends_ns = run.trace.filter(pl.col("class") == "locker")["time_ns"].max()
        of_writer = run.trace.filter(pl.col("class") == "writer")
        asked, got = (
            of_writer.filter(pl.col("event") == event)["time_ns"].to_numpy()
            for event in ("start_locking", "acquire_returned")
        )
        waits.append((got - asked)[asked < ends_ns])
    return np.concatenate(waits)


BY_COSTS = [
    ("anon-2010", {"batch": 16}),
    ("anon-2010", {"batch": 256}),
    ("anon-2010", {"batch": 1024}),
    ("vm-6.18", {"batch": 256}),
    ("page-cache-2010", {"batch": 256, "backing": "page cache"}),
    ("hdd-2010", {"batch": 256, "backing": "disk"}),
    ("nvme", {"batch": 64, "backing": "disk"}),
]
BY_POLICY = [("vm-6.18", {"batch": 256, "lock_policy": policy}) for policy in POLICIES]
BY_PROGRAM = [
    ("vm-6.18", {"batch": 256, "lock_policy": "reader-stealing", "program": True} | changes)
    for changes in ({}, {"batch": 1024}, {"pause_ns": 40_000}, {"realtime": True})
]


@pytest.mark.parametrize(("costs", "law"), BY_COSTS + BY_POLICY + BY_PROGRAM, ids=str)
def test_the_wait_of_a_rare_writer(costs: str, law: dict) -> None:
    said, waits = formula(costs, law), rare_waits(costs, law)
    assert len(waits) > 80
    low, high = stats.ttest_1samp(waits, 0).confidence_interval(CONFIDENCE)
    assert low < said["mean_ns"] < high
    # The positive control: a formula that is wrong by a quarter would be noticed.
    assert not low < 1.25 * said["mean_ns"] < high
    for quantile, name in ((0.5, "p50_ns"), (0.99, "p99_ns")):
        below = int((waits <= said[name]).sum())
        assert stats.binomtest(below, len(waits), quantile).pvalue > 1 - CONFIDENCE, name
    # A hold that begins with a wake-up, after another request, is longer by that wake-up.
    assert waits.max() <= said["longest_ns"] + load_costs(costs).costs["wake_up_ns"].value


@pytest.mark.parametrize(("costs", "law"), [*BY_COSTS, *BY_PROGRAM], ids=str)
def test_how_long_the_call_takes_when_nobody_comes(costs: str, law: dict) -> None:
    nobody = TaskGroup(name="nobody", cpu=1, calls=(Hold(mode="shared", hold_ns=0),))
    run = simulate(scenario_of(costs, law, nobody))
    said = formula(costs, law)
    took_ns = run.calls.filter(pl.col("class") == "locker")["total_ns"].sum()
    if law.get("program"):  # the pauses are not part of a call
        took_ns += law.get("pause_ns", 0) * (PAGES // law["batch"] - 1)
    assert said["mlock_ns"] == pytest.approx(took_ns, rel=2e-3)


@pytest.mark.parametrize("writers", [1, 3, 8])
@pytest.mark.parametrize("hold_ns", [1_000, 50_000])
def test_every_batch_end_lets_all_writers_of_a_closed_loop_go_first(writers, hold_ns) -> None:
    calls = (Hold(mode="exclusive", hold_ns=hold_ns),)
    crowd = [
        TaskGroup(name=f"writer{n}", cpu=1 + n, repeats=0, calls=calls) for n in range(writers)
    ]
    law = {"batch": 256}
    run = simulate(scenario_of("anon-2010", law, *crowd, pages=65_536))
    said = formula("anon-2010", law, pages=65_536, writers=writers, writer_hold_ns=hold_ns)
    median = run.quantile(f"writer{writers - 1}", "wait_exclusive", 0.5)
    assert said["p50_ns"] <= median <= said["p50_ns"] * (1 + 1 / 32)
    assert run.longest_call("locker", "mlock") == pytest.approx(said["mlock_ns"], rel=0.01)


def test_overhead_times_residual_wait_is_about_constant() -> None:
    law = batch_law("anon-2010", [2**power for power in range(6, 15)])
    wake_up_ns = load_costs("anon-2010").costs["wake_up_ns"].value
    products = law["overhead"] * (law["mean_ns"] - wake_up_ns)
    # Half of two operations of the lock and a look at the VMA, 140 ns.
    assert products.to_numpy() == pytest.approx(70, rel=0.03)


def test_pages_are_the_wrong_unit_for_a_disk() -> None:
    """A batch of 256 pages takes 43 ms in a row, at the measured 24.5 MB/s, and 4.6 s at random."""
    in_a_row = batch_law("hdd-2010", [256], backing="disk")["hold_ns"][0]
    at_random = batch_law("hdd-2010", [256], backing="disk at random")["hold_ns"][0]
    assert in_a_row / 1e6 == pytest.approx(43, abs=0.5)
    assert at_random / 1e9 == pytest.approx(4.6, abs=0.05)


def test_it_does_not_say_what_it_does_not_know() -> None:
    """Pieces shorter than a wake-up let a writer in by luck under reader stealing."""
    law = batch_law("vm-6.18", [8, 256], lock_policy="reader-stealing", program=True)
    assert law["p99_ns"].is_null().to_list() == [True, False]


@pytest.mark.parametrize("policy", [*policies.BY_NAME, "brand-new"])
def test_a_policy_that_it_does_not_know_is_refused(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every policy is either one of POLICIES, and compared with the clock above, or refused."""
    monkeypatch.setitem(policies.BY_NAME, "brand-new", policies.READERS_JOIN)
    if policy in POLICIES:
        assert not batch_law("anon-2010", [256], lock_policy=policy)["mean_ns"].has_nulls()
        return
    why = f'lock_policy = "{policy}": the batch law has no formula for it, must be one of fifo, '
    with pytest.raises(RfcsimError, match=f"^{why}"):
        batch_law("anon-2010", [256], lock_policy=policy)


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        ({"batch_pages": []}, "batch_pages is empty: must be one or more"),
        ({"batch_pages": [0]}, "batch_pages = 0: must be 1 to 2147483648"),
        ({"backing": "tape"}, 'backing = "tape": '),
        ({"lock_policy": "lifo"}, 'lock_policy = "lifo": '),
        ({"pause_ns": 5}, "pause_ns = 5: only with program"),
        ({"writers": 2, "lock_policy": "hand-off"}, 'writers = 2: only with lock_policy "fifo"'),
    ],
)
def test_bad_input_is_one_line(arguments: dict, because: str) -> None:
    with pytest.raises(RfcsimError) as raised:
        batch_law("anon-2010", **arguments)
    assert str(raised.value).startswith(because) and "\n" not in str(raised.value)
