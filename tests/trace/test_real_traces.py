"""What the traces of a 6.18 kernel say about who is to blame, and what they cannot say."""

import polars as pl
import pytest

from rfcsim import preset, simulate
from rfcsim.data import data_path
from rfcsim.live import read_trace
from rfcsim.trace.blame import PARTS, blame, blame_summary

TRACES = [
    "mlock-whole-other-cpu",
    "pieces-256-other-cpu",
    "pieces-256-same-cpu",
    "pieces-256-pause-40us",
    "mlock-pieces-256-other-cpu",
]


def shares(name: str) -> dict[str, float]:
    return shares_of(read_trace(data_path("traces", name)))


def shares_of(events: pl.DataFrame) -> dict[str, float]:
    """The share of each part in the waiting of the victim."""
    parts = blame(events).filter(pl.col("class") == "victim")
    summary = blame_summary(parts).group_by("part").agg(pl.col("share").sum())
    return dict.fromkeys(PARTS, 0.0) | dict(summary.iter_rows())


@pytest.mark.parametrize("name", TRACES)
def test_the_parts_are_the_waits_that_the_trace_has(name: str) -> None:
    events = read_trace(data_path("traces", name))
    of_request = events.filter(pl.col("event").is_in(["start_locking", "acquire_returned"]))
    previous = pl.col("event").shift().over("task")
    waited = of_request.with_columns(
        length_ns=pl.col("time_ns") - pl.col("time_ns").shift().over("task"), previous=previous
    ).filter(event="acquire_returned", previous="start_locking")
    assert blame(events)["length_ns"].sum() == waited["length_ns"].sum() > 0


def test_behind_one_whole_mlock_its_hold_is_to_blame() -> None:
    found = shares("mlock-whole-other-cpu")
    assert found["holder"] > 0.999
    assert found["stolen"] == 0


@pytest.mark.parametrize("name", ["pieces-256-other-cpu", "mlock-pieces-256-other-cpu"])
def test_behind_pieces_on_another_cpu_the_lock_is_stolen_again_and_again(name: str) -> None:
    found = shares(name)
    assert found["stolen"] > 0.9
    assert found["holder"] < 0.05  # the piece that was under way when it came


@pytest.mark.parametrize("name", ["pieces-256-same-cpu", "pieces-256-pause-40us"])
def test_on_the_same_cpu_or_with_a_pause_nothing_is_stolen(name: str) -> None:
    found = shares(name)
    assert found["stolen"] == 0
    assert found["holder"] > 0.8


@pytest.mark.parametrize(
    ("trace", "scenario"),
    [
        ("pieces-256-other-cpu", "pieces-other-cpu"),
        ("pieces-256-same-cpu", "pieces-same-cpu"),
        ("pieces-256-pause-40us", "pieces-pause"),
        ("mlock-pieces-256-other-cpu", "mlock-pieces-other-cpu"),
    ],
)
def test_the_simulated_run_blames_as_the_kernels_trace_does(trace: str, scenario: str) -> None:
    simulated = simulate(preset(scenario), trace=100_000)
    assert simulated.trace_dropped == 0
    assert shares_of(simulated.trace) == pytest.approx(shares(trace), abs=0.05)


def test_the_kernel_does_not_say_in_which_call_anybody_is() -> None:
    parts = blame(read_trace(data_path("traces", "pieces-256-other-cpu")))
    assert parts["call"].null_count() == parts["cause_call"].null_count() == len(parts)
