"""Every nanosecond of every wait has one part, and its cause was really there."""

from itertools import pairwise

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim.clock.layout import clock, cost
from rfcsim.model.layout import policy
from rfcsim.runs.recorded import trace_frame
from rfcsim.runs.result import Result
from rfcsim.trace.blame import BLAME_SCHEMA, PARTS, blame, blame_summary
from tests.trace.frames import lock_traces
from tests.trace.oracle import Judged, judged, stays
from tests.twin.engine import run_engine
from tests.twin.strategies import Case, cases

TICK_NS = 4_000_000


def stretches(parts: pl.DataFrame, events: pl.DataFrame) -> Judged:
    """The parts, cut at every time at which something happens."""
    times = events["time_ns"].unique().sort().to_list()
    return {
        (row["task"], row["wait_start_ns"], start_ns, end_ns): (
            row["part"],
            row["cause_task"],
            row["cause_call"],
        )
        for row in parts.iter_rows(named=True)
        for start_ns, end_ns in pairwise(times)
        if row["start_ns"] <= start_ns < row["end_ns"]
    }


def check_tiling(parts: pl.DataFrame, events: pl.DataFrame) -> None:
    """The parts of each wait lie end to end, and no wait is missing."""
    assert parts.schema == BLAME_SCHEMA
    assert set(parts["part"]) <= set(PARTS)
    assert (parts["length_ns"] >= 1).all()
    assert (parts["length_ns"] == parts["end_ns"] - parts["start_ns"]).all()
    waits = []
    for (task, start_ns, end_ns), of_wait in parts.group_by(
        "task", "wait_start_ns", "wait_end_ns", maintain_order=True
    ):
        assert of_wait["start_ns"][0] == start_ns
        assert of_wait["end_ns"][-1] == end_ns
        assert of_wait["start_ns"][1:].to_list() == of_wait["end_ns"][:-1].to_list()
        assert of_wait["length_ns"].sum() == end_ns - start_ns
        waits.append((task, start_ns, end_ns, of_wait["open"].unique().to_list()))
    last_ns = int(events["time_ns"].to_numpy().max(initial=0))
    expected = []
    for stay in stays(events.to_dicts()):
        if stay.asked_ns is not None:
            is_open = stay.waited_until_ns is None
            until_ns = last_ns if stay.waited_until_ns is None else stay.waited_until_ns
            if until_ns > stay.asked_ns:
                expected.append((stay.task, stay.asked_ns, until_ns, [is_open]))
    assert sorted(waits) == sorted(expected)


def trace_of(case: Case) -> tuple[pl.DataFrame, Result]:
    machine = run_engine(*case)
    result = Result.of(case.scenario, machine)
    traced = machine.trace[: machine.clock[clock.TRACED]]
    return trace_frame(traced, result.task_names), result


@settings(max_examples=3 * settings().max_examples)
@given(cases(), st.sampled_from(list(policy.BY_NAME)))
def test_the_waits_of_a_scenario_are_attributed_as_the_rules_say(
    case: Case, lock_policy: str
) -> None:
    scenario = case.scenario.replace(lock_policy=lock_policy)
    costs = case.costs.copy()
    costs[cost.TICK] = TICK_NS
    events, result = trace_of(case._replace(scenario=scenario, costs=costs))
    parts = blame(events)
    check_tiling(parts, events)
    assert stretches(parts, events) == judged(events)
    # The clock keeps its own sums of waits.
    summed = result.waits.group_by("class", "mode").agg(pl.col("total_ns").sum())
    expected = summed.filter(pl.col("total_ns") > 0)
    found = parts.group_by("class", "mode").agg(total_ns=pl.col("length_ns").sum())
    assert found.sort("class", "mode").equals(expected.sort("class", "mode"))


@settings(max_examples=5 * settings().max_examples)
@given(lock_traces())
def test_the_waits_of_any_trace_are_attributed_as_the_rules_say(events: pl.DataFrame) -> None:
    parts = blame(events)
    check_tiling(parts, events)
    assert stretches(parts, events) == judged(events)


@given(lock_traces())
def test_the_summary_is_the_sum_of_the_parts(events: pl.DataFrame) -> None:
    parts = blame(events)
    summary = blame_summary(parts)
    assert summary["total_ns"].sum() == parts["length_ns"].sum()
    assert (summary["max_ns"] <= summary["total_ns"]).all()
    shares = summary.group_by("class").agg(pl.col("share").sum())["share"].to_numpy()
    assert np.allclose(shares, 1)
    totals = summary.group_by("class", maintain_order=True).agg(pl.col("total_ns").sum())
    assert totals["total_ns"].is_sorted(descending=True)
