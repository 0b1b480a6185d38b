"""What a run reports: exact counts, quantiles within their bound, words, and the trace."""

import numpy as np
import polars as pl
import pytest

from rfcsim.clock.layout import cost, span
from rfcsim.duration import human
from rfcsim.errors import RfcsimError, ScenarioError
from rfcsim.histogram import bucket_bounds
from rfcsim.runs.result import Result
from rfcsim.runs.simulate import run_once, simulate
from rfcsim.trace.frame import EVENT_SCHEMA, lock_intervals
from tests.runs.examples import SMALL

# More events than the run has: the trace is complete.
TRACED = simulate(SMALL, seed=7, trace=100_000)


def waits_of(result: Result) -> pl.DataFrame:
    """Every single wait, from the trace: class, mode, wait_ns."""
    of_lock = result.trace.filter(pl.col("event").is_in(["start_locking", "acquire_returned"]))
    return of_lock.with_columns(
        wait_ns=pl.col("time_ns") - pl.col("time_ns").shift().over("task")
    ).filter(pl.col("event") == "acquire_returned")


def test_waits_are_those_of_the_trace() -> None:
    assert TRACED.trace_dropped == 0
    expected = (
        waits_of(TRACED)
        .group_by("class", "mode")
        .agg(
            requests=pl.len().cast(pl.Int64()),
            waited=(pl.col("wait_ns") > 0).sum().cast(pl.Int64()),
            max_ns=pl.col("wait_ns").max(),
            total_ns=pl.col("wait_ns").sum(),
        )
    )
    found = TRACED.waits.select(expected.columns)
    assert found.sort("class", "mode").equals(expected.sort("class", "mode"))
    assert found["waited"].sum() > 0


def test_holds_are_those_of_the_trace() -> None:
    held = lock_intervals(TRACED.trace).filter(pl.col("state") == "holding")
    length = pl.col("end_ns") - pl.col("start_ns")
    expected = held.group_by("class", "mode").agg(
        holds=pl.len().cast(pl.Int64()), max_ns=length.max(), total_ns=length.sum()
    )
    found = TRACED.holds.select(expected.columns)
    assert found.sort("class", "mode").equals(expected.sort("class", "mode"))


def test_calls_and_tasks_are_those_of_the_trace() -> None:
    ended = TRACED.trace.filter(pl.col("event") == "call_end")
    expected = ended.group_by("class", "call").agg(count=pl.len().cast(pl.Int64()))
    found = TRACED.calls.select("class", "call", "count")
    assert found.sort("class", "call").equals(expected.sort("class", "call"))
    assert TRACED.tasks["task"].to_list() == ["locker 0", "victim 0", "victim 1", "victim 2"]
    assert TRACED.tasks["calls"].to_list() == [1, 40, 40, 40]
    assert TRACED.tasks["last_return"].to_list() == [0, 0, 0, 0]


def test_spans_are_the_calls_of_the_trace() -> None:
    spans = TRACED.spans
    took = pl.col("ended_ns") - pl.col("began_ns")
    found = spans.group_by("class", "call").agg(
        count=pl.len().cast(pl.Int64()), max_ns=took.max(), total_ns=took.sum()
    )
    expected = TRACED.calls.select("class", "call", "count", "max_ns", "total_ns")
    assert found.sort("class", "call").equals(expected.sort("class", "call"))
    assert (spans["began_ns"] <= spans["ended_ns"]).all()
    with pytest.raises(RfcsimError, match=r"^spans: there is no trace"):
        _ = simulate(TRACED.scenario).spans


def test_quantiles_are_the_upper_ends_of_their_buckets() -> None:
    waits = waits_of(TRACED).filter(pl.col("class") == "victim")["wait_ns"].sort()
    for q in (0.0, 0.25, 0.5, 0.9, 0.99, 1.0):
        exact = waits[max(0, int(np.ceil(q * len(waits))) - 1)]
        assert exact <= TRACED.quantile("victim", "wait_shared", q) <= exact * (1 + 1 / 32)
    assert TRACED.quantile("victim", "wait_shared", 1.0) == waits.max()
    assert TRACED.quantile("victim", "wait_exclusive", 0.5) == 0  # it never asked


def test_the_histogram_counts_everything_once() -> None:
    counted = TRACED.histogram.group_by("class", "record").agg(pl.col("count").sum())
    counts = {(name, record): count for name, record, count in counted.rows()}
    for name, mode, requests in TRACED.waits.select("class", "mode", "requests").rows():
        assert counts[name, f"wait_{mode}"] == requests
    assert counts["victim", "call"] == 120
    assert set(TRACED.histogram["record"]) <= set(span.NAMES)
    low, high = bucket_bounds()
    assert set(zip(low.tolist(), high.tolist(), strict=True)) >= set(
        TRACED.histogram.select("low_ns", "high_ns").rows()
    )


def test_the_trace_is_an_event_frame() -> None:
    trace = TRACED.trace
    assert trace.schema == EVENT_SCHEMA
    assert trace["time_ns"].is_sorted()
    first = trace.row(0, named=True)
    assert (first["task"], first["event"], first["call"]) == ("locker 0", "call_begin", "mlock")
    granted = trace.filter((pl.col("event") == "granted") & (pl.col("class") == "locker"))
    locked = granted.row(0, named=True)
    assert (locked["task"], locked["mode"], locked["lock"]) == ("locker 0", "exclusive", "mmap_sem")
    returned = trace.filter((pl.col("event") == "call_end") & (pl.col("call") == "mlock"))
    assert returned["value"].to_list() == [0]
    ran = trace.filter(pl.col("event").is_in(["run", "stop"]))
    assert ran["cpu"].null_count() == 0
    assert set(ran["cpu"]) == {0, 1}


def test_the_trace_of_a_disk_names_pages() -> None:
    cold = SMALL.replace(
        costs="hdd-2010", **{"regions.data.backing": "file", "regions.data.protection": "r"}
    )
    trace = simulate(cold, trace=100_000).trace
    reads = trace.filter(pl.col("event") == "disk_start")
    assert reads["task"].unique().to_list() == ["disk"]
    # Windows of 32 pages, the first two in one read, over the file's 100 pages from page 1 on.
    assert reads["value"].to_list() == [1, 65, 97]
    assert reads["count"].to_list() == [64, 32, 4]


def test_a_full_trace_keeps_the_beginning_and_says_so() -> None:
    whole = TRACED.trace
    short = simulate(SMALL, seed=7, trace=10)
    assert short.trace.equals(whole.head(10))
    assert short.trace_dropped == len(whole) - 10
    assert short.waits.equals(TRACED.waits)


def test_a_run_without_a_trace_says_how_to_get_one() -> None:
    with pytest.raises(RfcsimError, match="must be simulated with trace = 1 or more"):
        _ = simulate(SMALL).trace


def test_the_table_says_it_in_words() -> None:
    table = TRACED.table()
    assert table.columns == [
        "class",
        "waited for",
        "requests",
        "waited",
        "p50",
        "p99",
        "max",
        "total",
    ]
    assert table["class"].to_list() == ["locker", "victim"]
    assert table["waited for"].to_list() == ["mmap_sem, exclusive", "mmap_sem, shared"]
    assert table["max"].to_list() == [human(ns) for ns in TRACED.waits["max_ns"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed = -1: must be 0 to 9223372036854775807"),
        ({"seed": 2**63}, f"seed = {2**63}: must be 0 to {2**63 - 1}"),
        ({"seed": 1.5}, "seed = 1.5: must be a whole number"),
        ({"seed": True}, "seed = True: must be a whole number"),
        ({"replication": -1}, "replication = -1: must be 0 to 9223372036854775807"),
        ({"trace": -1}, "trace = -1: must be 0 to 100000000"),
    ],
)
def test_bad_arguments_are_one_line(arguments: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        simulate(SMALL, **arguments)
    assert str(caught.value) == message


def test_calls_without_end_in_no_time_are_refused() -> None:
    free = np.zeros(cost.COUNT, np.int64)
    free[[cost.DISK_DEPTH, cost.TIMESLICE]] = 1
    for_ever = SMALL.replace(
        end_ns=1,
        **{"tasks.victim.repeats": 0, "tasks.victim.start_ns": 0}
        | {"tasks.victim.calls.touch.think_ns": 0, "tasks.victim.calls.hold.hold_ns": 0},
    )
    with pytest.raises(ScenarioError) as caught:
        run_once(for_ever, free, seed=0, replication=0)
    assert str(caught.value) == (
        "costs = 'anon-2010': a task would make calls for ever in no time, must have costs above "
        "0, or its calls think_ns above 0"
    )


def test_memory_that_is_not_there_is_one_line(monkeypatch) -> None:
    def no_memory(*_, **__) -> None:
        raise MemoryError

    monkeypatch.setattr("rfcsim.runs.prepare.compile_process", no_memory)
    with pytest.raises(RfcsimError) as caught:
        simulate(SMALL, trace=5)
    assert str(caught.value) == ("regions: 128 pages and trace = 5 events do not fit into memory")


def test_progress_grows_to_one() -> None:
    for scenario in (SMALL, SMALL.replace(end_ns=10**6)):
        shares: list[float] = []
        simulate(scenario, progress=shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_jumps_change_nothing_but_the_number_of_events() -> None:
    jumped = simulate(SMALL, seed=3, trace=100_000)
    stepped = simulate(SMALL, seed=3, trace=100_000, jump=False)
    assert jumped.events < stepped.events
    assert jumped.trace.equals(stepped.trace)
    assert jumped.histogram.equals(stepped.histogram)
    assert jumped.elapsed_ns == stepped.elapsed_ns
