"""Measurements: everything asked for is in the file, and nothing stays behind."""

import errno
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import rfcsim
from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits, micro, threads
from rfcsim.live.calls import OPERATION_NAMES
from rfcsim.live.loops import (
    CONTROL_SIZE,
    ROW_ALL,
    STAT_COUNT,
    STOP,
    Recorder,
    new_recorder,
)
from rfcsim.live.measure import measure
from rfcsim.live.measurement import ALL, PAUSE, RECORD_SCHEMA, load_measurement
from rfcsim.live.probe import METHODS, VICTIMS, Probe, probes, standard_probes
from rfcsim.live.threads import Work, run_together
from tests.live.facts import locked_pages

module = sys.modules["rfcsim.live.measure"]
PAGES = 12  # 48 KiB: within the smallest RLIMIT_MEMLOCK that there is


@pytest.fixture(autouse=True)
def nothing_stays_behind():
    def state():
        maps = "\n".join(limits.proc_lines("self/maps"))
        return (
            locked_pages(),
            os.sched_getaffinity(0),
            os.sched_getscheduler(0),
            threading.active_count(),
            maps.count("memfd:rfcsim"),
        )

    before = state()
    yield
    assert state() == before


def one(probe: Probe) -> pl.DataFrame:
    """Its records; it is not ended early, however busy the machine is."""
    return measure([probe], repetitions=1, alone=False, most_s=3600).records


def operations(records: pl.DataFrame, role: str) -> dict[str, int]:
    of_role = records.filter(role=role)
    return dict(zip(of_role["operation"], of_role["count"], strict=True))


# --- what is in it ----------------------------------------------------------------------------


@pytest.mark.parametrize("backing", ["anonymous", "file"])
@pytest.mark.parametrize("method", METHODS[1:])
def test_every_call_of_the_locker_is_recorded(method, backing, monkeypatch) -> None:
    monkeypatch.setattr(limits, "huge_page_bytes", limits.page_bytes)
    records = one(Probe(method=method, backing=backing, pages=PAGES, piece_pages=5, pause_us=1.0))
    populate = "READ" if backing == "file" else "WRITE"
    populated, flagged = f"madvise(MADV_POPULATE_{populate})", "mlock2(MLOCK_ONFAULT)"
    expected = {
        "mlock": {"mlock": 3},
        "onfault-populate": {flagged: 1, populated: 3},
        "onfault-touch": {flagged: 1, populate.lower(): 3},
        "lock_memory": {flagged: 3, populated: 3},
        "populate": {populated: 3},
        "map-populate": {"mmap(MAP_FIXED | MAP_POPULATE)": 3},
        "touch": {populate.lower(): 3},
    }[method]
    found = operations(records, "locker")
    # Flagging is followed by a pause only if it takes longer than the pause.
    assert found.pop(PAUSE) in ((2, 3, 4, 5) if method == "lock_memory" else (2,))
    assert found == expected | {ALL: 1}
    covered = records.filter(pl.col("role") == "locker", pl.col("operation") != PAUSE)
    assert set(covered["covered_pages"]) == {PAGES}


@pytest.mark.parametrize("victim", VICTIMS)
def test_every_operation_of_the_victim_is_recorded(victim, monkeypatch) -> None:
    recorders = []

    def new(rows: int) -> Recorder:
        recorders.append(new_recorder(rows))
        return recorders[-1]

    def until_a_round_is_over(_: float) -> None:
        while not recorders[-1].statistics[ROW_ALL, STAT_COUNT]:
            pass

    monkeypatch.setattr(module, "new_recorder", new)
    monkeypatch.setattr(module.time, "sleep", until_a_round_is_over)
    records = one(Probe(method="none", victim=victim))
    found = operations(records, "victim")
    rounds = found.pop(ALL)
    assert rounds >= 1
    assert found.pop(PAUSE) in (rounds, rounds + 1)
    assert found == {OPERATION_NAMES[operation]: rounds for operation in VICTIMS[victim][0]}


def test_records_agree_with_their_histograms() -> None:
    records = measure([Probe(pages=PAGES, piece_pages=1)], repetitions=2, alone=False).records
    assert records.schema == RECORD_SCHEMA
    assert set(records["repetition"]) == {0, 1}
    for row in records.iter_rows(named=True):
        buckets = row["histogram"]
        assert sum(bucket["count"] for bucket in buckets) == row["count"]
        assert buckets[0]["low_ns"] <= row["min_ns"] <= buckets[0]["high_ns"]
        assert buckets[-1]["low_ns"] <= row["max_ns"] <= buckets[-1]["high_ns"]
        assert row["count"] * row["min_ns"] <= row["sum_ns"] <= row["count"] * row["max_ns"]


def test_a_run_that_takes_too_long_ends_and_says_how_far_it_came() -> None:
    probe = Probe(method="populate", pages=PAGES, piece_pages=1, pause_us=50_000.0)
    records = measure([probe], repetitions=1, alone=False, most_s=1e-9).records
    (covered,) = records.filter(operation=ALL, role="locker")["covered_pages"]
    assert covered == 1


def test_threads_run_where_they_are_told_and_nothing_else_does() -> None:
    cpu = limits.cpus()[-1]
    seen: list[set[int]] = []

    def body() -> int:
        seen.append(os.sched_getaffinity(0))
        return 0

    run_together(np.zeros(CONTROL_SIZE, np.int64), Work("one", body, cpu), Work("two", body, cpu))
    assert seen == [{cpu}, {cpu}]


def test_single_operations_are_timed_for_a_cost_table(monkeypatch) -> None:
    monkeypatch.setattr(micro, "MOST_NS", 10**15)  # however busy the machine is
    found = measure([], repetitions=1)
    left_out = found.provenance["left_out"]
    expected = {each.name for each in (*micro.MICROS, *micro.WAKES)} | {micro.SLICE}
    missing = expected - set(found.alone["experiment"])
    # There may be only one CPU here, and two threads that share one may not have met in 0.2 s.
    assert all(name in left_out or name == micro.SLICE for name in missing)
    assert "wake-same-cpu" not in missing
    pages = {
        (row["experiment"], row["step"]): row["covered_pages"] // row["count"]
        for row in found.alone.iter_rows(named=True)
        if row["step"] is not None
    }
    for each in micro.MICROS:
        for step, (_, count) in enumerate(each.program):
            assert each.name in missing or pages[each.name, step] == count
    assert (found.alone["p50_ns"] > 0).all()


def test_where_it_was_measured_is_told() -> None:
    found = measure([Probe(method="none")], repetitions=1, alone=False).provenance
    assert found["kernel"] == os.uname().release
    assert 10_000 >= int(found["hz"]) >= 24
    assert int(found["page_bytes"]) == limits.page_bytes()
    assert {"cpu", "versions", "command", "clocksource", "rlimit_memlock"} <= set(found)
    assert found["repetitions"] == "1"
    assert all(isinstance(value, str) for value in found.values())


# --- what it means ----------------------------------------------------------------------------


def test_combinations() -> None:
    found = probes(
        methods=["none", "mlock"], pieces=[None, 4, 99], pauses_us=[0.0, 9.0],
        placements=["same"], pages=50,
    )  # fmt: skip
    assert [(each.method, each.piece_pages, each.pause_us) for each in found] == [
        ("none", None, 0.0),
        ("mlock", None, 0.0),
        ("mlock", 4, 0.0),
        ("mlock", 4, 9.0),
    ]
    assert {(each.locker_cpu, each.victim_cpu) for each in found} == {(limits.cpus()[0],) * 2}


def test_the_standard_probes_need_no_right_to_lock_memory(monkeypatch) -> None:
    monkeypatch.setattr(limits, "memlock_limit", lambda: 1 << 20)
    monkeypatch.setattr(limits, "fifo_allowed", lambda: True)
    found = [probe for probe in standard_probes() if probe.missing() is None]
    pieces = {probe.piece_pages for probe in found if probe.method == "populate"}
    assert pieces == {None, *(4**power for power in range(8))}
    monkeypatch.setattr(limits, "memlock_limit", lambda: None)
    found = standard_probes()
    pieces = {probe.piece_pages for probe in found if probe.method == "onfault-populate"}
    assert pieces == {None, *(4**power for power in range(8))}
    assert {probe.method for probe in found} == set(METHODS)
    assert {probe.victim for probe in found if probe.method == "mlock"} == set(VICTIMS)


@pytest.mark.parametrize(
    ("patched", "value", "probe", "reason"),
    [
        (
            "fifo_allowed", lambda: False, Probe(priority="fifo"),
            'priority = "fifo": needs CAP_SYS_NICE or RLIMIT_RTPRIO; "normal" works',
        ),
        (
            "has_populate", lambda: False, Probe(method="populate"),
            'method = "populate": the kernel has no MADV_POPULATE_WRITE (Linux 5.14); "mlock", ',
        ),
        (
            "memlock_limit", lambda: 4096, Probe(method="mlock"),
            'method = "mlock": needs 256 MiB of locked memory, 4.00 KiB are allowed (RLIMIT_MEML',
        ),
        ("cpus", lambda: [0, 1], Probe(victim_cpu=7), "victim_cpu = 7: this process may use 0, 1"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_left_out_and_told(
    monkeypatch, patched: str, value, probe: Probe, reason: str
) -> None:
    monkeypatch.setattr(limits, patched, value)
    monkeypatch.setattr(limits, "locked_bytes", lambda: 0)  # whatever else this process locks
    with pytest.raises(LiveError) as caught:
        measure([probe])
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)
    allowed = Probe(method="touch", pages=PAGES)
    found = measure([probe, allowed], repetitions=1, alone=False)
    assert found.provenance["left_out"] == str(caught.value)
    assert set(found.records["probe"]) == {1}


def test_memory_that_others_need_is_not_taken() -> None:
    with pytest.raises(LiveError, match=r"^measure: needs 8192 GiB of memory, at most "):
        measure([Probe(method="touch", pages=2**31)])


def test_one_cpu_is_no_other_one(monkeypatch) -> None:
    monkeypatch.setattr(limits, "cpus", lambda: [3])
    with pytest.raises(LiveError, match=r'^placement = "other": this process may use one CPU'):
        probes(placements=["other"])
    assert {probe.victim_cpu for probe in standard_probes()} == {3}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Probe(**{"method": "lock"}), 'method = "lock": must be "none", "mlock", '),
        (lambda: Probe(piece_pages=0), "piece_pages = 0: must be 1 or more"),
        (lambda: Probe(**{"piece": 3}), "piece: unknown key; did you mean piece_pages?"),
        (lambda: Probe(pause_us=float("inf")), "pause_us = inf: must be a finite number"),
        (lambda: measure([], repetitions=0), "repetitions = 0: must be 1 to 10000"),
        (lambda: measure([], most_s=0), "most_s = 0: must be more than 0"),
        (lambda: measure([], seed=-1), "seed = -1: must be 0 to "),
    ],
)
def test_bad_input(ask, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        ask()
    assert str(caught.value).startswith(message)


# --- nothing stays behind (the fixture looks) ---------------------------------------------------


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the threads of a measurement run, and the main thread waits for them."""
    event, real = threading.Event(), threads.wait

    def wait(*arguments, **options):
        event.set()
        return real(*arguments, **options)

    monkeypatch.setattr(threads, "wait", wait)
    return event


def test_an_interrupt_ends_it(interruptible, waiting, monkeypatch) -> None:
    """Ctrl-C after the first piece of a locker that would never come to its end."""
    real = module.lock_range

    def interrupted(passes, bench, pause_ns, spins, until_ns, control, recorder):
        if not len(passes):  # only to compile it
            return real(passes, bench, pause_ns, spins, until_ns, control, recorder)
        error = real(passes, bench, pause_ns, spins, 0, control, recorder)
        assert limits.locked_bytes() > 0
        waiting.wait()
        os.kill(os.getpid(), signal.SIGINT)
        while not control[STOP]:
            pass
        return error

    monkeypatch.setattr(module, "lock_range", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one(Probe(method="mlock", pages=PAGES, piece_pages=1))


@pytest.mark.parametrize("failing_first", [False, True])
def test_an_error_of_one_thread_ends_the_others(failing_first: bool) -> None:
    control = np.zeros(CONTROL_SIZE, np.int64)

    def until_stopped() -> int:
        while not control[STOP]:
            pass
        return 0

    works = [Work("victim", until_stopped), Work("locker", lambda: errno.ENOMEM)]
    with pytest.raises(LiveError, match=r"^locker: ENOMEM: Cannot allocate memory$"):
        run_together(control, *(reversed(works) if failing_first else works))
    control[STOP] = 0
    works = [Work("locker", until_stopped), Work("victim", until_stopped, cpu=9999)]
    with pytest.raises(LiveError, match=r"^victim, CPU 9999: Invalid argument$"):
        run_together(control, *(reversed(works) if failing_first else works))


def test_an_interrupt_ends_threads_that_would_run_for_ever(interruptible, waiting) -> None:
    control = np.zeros(CONTROL_SIZE, np.int64)

    def until_stopped() -> int:
        waiting.wait()
        os.kill(os.getpid(), signal.SIGINT)
        while not control[STOP]:
            pass
        return 0

    with pytest.raises(KeyboardInterrupt):
        run_together(control, Work("locker", until_stopped))


def test_the_command(rfcsim, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["--method", "populate", "--method", "touch", "--placement", "same"]
    asked += ["--pages", "12", "--piece-pages", "5", "--no-alone", "--repetitions", "1"]
    status, out, err = rfcsim("measure", *asked)
    assert (status, err) == (0, "rfcsim: note: measurement.parquet has the whole measurement\n")
    found = load_measurement("measurement.parquet")
    assert set(found.records["method"]) == {"populate", "touch"}
    assert set(found.records["piece_pages"]) == {5}
    for row in found.table().iter_rows():
        cells = [str(cell) for cell in row if cell is not None]
        assert any(line.split("  ")[0].strip() == cells[0] for line in out.splitlines())
    before = Path("measurement.parquet").read_bytes()
    status, _, err = rfcsim("measure", *asked)
    assert (status, Path("measurement.parquet").read_bytes()) == (2, before)
    assert "exists, must be new (or give --force)" in err


def test_the_face_has_it() -> None:
    assert rfcsim.measure is measure
    assert rfcsim.live.lock_memory is rfcsim.lock_memory
