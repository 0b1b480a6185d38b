"""A name that there is not, or a number out of range: one line that says what is allowed."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rfcsim
from rfcsim.data import data_path
from rfcsim.orders.check import Check
from tests.runs.examples import SMALL

NO_FRAME = pl.DataFrame({"a": [1]})
CALLS = (
    "mlock, munlock, mmap, munmap, touch, read_maps, hold, mprotect, mremap, mlockall, munlockall, "
    "truncate, kill, fork, brk, populate, remap_file_pages, get_user_pages"
)
RECORDS = "wait_shared, wait_exclusive, hold_shared, hold_exclusive, call, round"
CLAIM = "did you mean complete?"


@cache
def result() -> rfcsim.Result:
    return rfcsim.simulate(SMALL)


@cache
def measurement() -> rfcsim.Measurement:
    return rfcsim.load_measurement(data_path("measurements", "vm-6.18"))


def checked() -> Check:
    return Check(SMALL, 1, 0.0, frozenset(), frozenset(), {})


def no(thing: Any) -> Any:
    """For a type checker: what is wrong on purpose."""
    return thing


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        # --- Result ---
        (
            lambda: result().longest_wait("victm"),
            'class_name = "victm": there is none; did you mean victim?',
        ),
        (
            lambda: result().longest_wait(no(None)),
            "class_name = None: there is none; known are locker, victim",
        ),
        (
            lambda: result().longest_call("victm", "touch"),
            'class_name = "victm": there is none; did you mean victim?',
        ),
        (
            lambda: result().longest_call("locker", "mloc"),
            'call = "mloc": there is none; did you mean mlock?',
        ),
        (
            lambda: result().longest_call("locker", "none"),
            f'call = "none": there is none; known are {CALLS}',
        ),
        (
            lambda: result().quantile("victm", "call", 0.5),
            'class_name = "victm": there is none; did you mean victim?',
        ),
        (
            lambda: result().quantile("victim", "wait_share", 0.5),
            'record = "wait_share": there is none; did you mean wait_shared?',
        ),
        (
            lambda: result().quantile("victim", "x", 0.5),
            f'record = "x": there is none; known are {RECORDS}',
        ),
        (lambda: result().quantile("victim", "call", 7.0), "q = 7.0: must be 0 to 1"),
        (lambda: result().quantile("victim", "call", -0.1), "q = -0.1: must be 0 to 1"),
        (lambda: result().quantile("victim", "call", math.nan), "q = nan: must be 0 to 1"),
        (lambda: result().quantile("victim", "call", no("p99")), 'q = "p99": must be 0 to 1'),
        # --- several runs ---
        (
            lambda: rfcsim.replicate(SMALL, 2).summary(no("95 %")),
            'confidence = "95 %": must be between 0 and 1',
        ),
        (
            lambda: rfcsim.compare({"mine": no(SMALL)}),
            'results: "mine": is a Scenario, must be a Result',
        ),
        # --- Check ---
        (lambda: checked().holds("complet"), f'claim = "complet": there is none; {CLAIM}'),
        (
            lambda: checked().holds(no([])),
            f"claim = []: there is none; known are {', '.join(rfcsim.CLAIMS)}",
        ),
        # --- a real kernel ---
        (
            lambda: measurement().write("/nowhere/x.parquet"),
            "/nowhere/x.parquet: cannot be written: No such file or directory",
        ),
        (lambda: measurement().write(Path("/")), "/: cannot be written: Is a directory"),
        (
            lambda: rfcsim.calibrate(measurement()).under("fif"),
            'lock_policy = "fif": must be "fifo", "writer-stealing", "hand-off", '
            '"reader-stealing", "reader-preference", "writer-preference" or "phase-fair"',
        ),
        # --- names that come with the package ---
        (
            lambda: rfcsim.preset("anon-1g"),
            'preset "anon-1g": there is none; did you mean anon-1gb?',
        ),
        (lambda: rfcsim.kernel(no(5.15)), None),
        (lambda: rfcsim.preset(no(3)), None),
        (lambda: rfcsim.check_scenario(no(None)), None),
        (
            lambda: rfcsim.nanoseconds(no(3)),
            "3: must be a number with its unit, ns, us, ms or s: 1ms",
        ),
        # --- frames ---
        (
            lambda: rfcsim.quantile_intervals(rfcsim.sweep(SMALL, {"cpus": [2]}), no("p99")),
            'q = "p99": must be between 0 and 1',
        ),
        (
            lambda: rfcsim.crossings(NO_FRAME),
            "points: must be of frontier, but there is no column scenario",
        ),
        (
            lambda: rfcsim.lock_intervals(NO_FRAME),
            "lock_intervals: expected an event frame, but it has no column 'time_ns'",
        ),
        (
            lambda: rfcsim.write_perfetto(NO_FRAME, "x.json"),
            "write_perfetto: expected an event frame, but it has no column 'time_ns'",
        ),
        (
            lambda: rfcsim.blame_table(NO_FRAME),
            "parts: must be of blame, but there is no column task",
        ),
    ],
)
def test_a_wrong_argument_is_one_line(ask: Any, message: str | None) -> None:
    with pytest.raises(rfcsim.RfcsimError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert message is None or str(caught.value) == message


def test_every_call_and_record_of_a_run_can_be_asked_for() -> None:
    for call in CALLS.split(", "):
        assert result().longest_call("victim", call) >= 0
    for record in RECORDS.split(", "):
        for q in (0, 0.5, 1):
            assert result().quantile("victim", record, q) >= 0
    of_locker = result().calls.filter(pl.col("class") == "locker", pl.col("call") == "mlock")
    assert result().longest_call("locker", "mlock") == of_locker["max_ns"].item()
