"""`rfcsim recommend`: the batch, or what would help, and bad input in one line."""

import json
from pathlib import Path

import pytest

import rfcsim as face

SHORT = {"regions.data.pages": 16_384, "tasks.locker.start_ns": 0}


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    file = tmp_path / "memory.toml"
    file.write_text(face.preset("anon-1gb").replace(design="batched", **SHORT).to_toml())
    return file


def test_the_batch_and_the_sentence(rfcsim, memory) -> None:
    status, out, err = rfcsim("recommend", memory, "--p99-wait", "1ms", "--replications", "3")
    assert (status, err) == (0, "")
    found = face.recommend(face.Scenario.from_toml(memory), p99_wait_ns=1_000_000, replications=3)
    assert found.text in out
    assert "p99 wait" in out


def test_status_1_says_that_no_size_helps(rfcsim) -> None:
    arguments = ("--preset", "pieces-other-cpu", "--p99-wait", "0.5 ms", "--replications", "2")
    status, out, err = rfcsim("recommend", *arguments)
    assert (status, err) == (1, "")
    assert "No piece keeps p99 of the waits within 500 us under reader-stealing" in out


def test_json_has_every_trial(rfcsim, memory) -> None:
    _, out, _ = rfcsim("recommend", memory, "--p99-wait", "400us", "--replications", "2", "--json")
    found = json.loads(out)
    assert found["p99_wait_ns"] == 400_000
    assert found["pages"] in [trial["pages"] for trial in found["trials"]]


@pytest.mark.parametrize("wait", ["1", "ms", "-1ms", "1 min", "1e3us"])
def test_a_wait_that_is_none_is_one_line(rfcsim, memory, wait: str) -> None:
    status, out, err = rfcsim("recommend", memory, f"--p99-wait={wait}")
    assert (status, out) == (2, "")
    assert err == (
        f"rfcsim: error: '{wait}': must be a number with its unit, ns, us, ms or s: 1ms\n"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--costs", "costs.toml"], "--costs: cannot be used with a scenario"),
        (["--confirm"], "--confirm: cannot be used with a scenario"),
        (["--no-confirm"], "--no-confirm: cannot be used with a scenario"),
        (["--from-measurement", "m.parquet"], "--from-measurement: cannot be used with a scenario"),
    ],
)
def test_what_is_of_a_measurement_is_not_ignored(rfcsim, memory, option, message) -> None:
    status, out, err = rfcsim("recommend", memory, *option)
    assert (status, out, err) == (2, "", f"rfcsim: error: {message}\n")


def test_what_is_of_a_scenario_is_not_ignored(rfcsim) -> None:
    arguments = ("--from-measurement", "m.parquet", "--replications", "10")
    status, out, err = rfcsim("recommend", *arguments)
    message = "--replications: needs a scenario"
    assert (status, out, err) == (2, "", f"rfcsim: error: {message}\n")


def test_a_scenario_that_locks_nothing_is_one_line(rfcsim) -> None:
    status, _, err = rfcsim("recommend", "--preset", "fault-retry-before")
    assert status == 2
    assert err.startswith("rfcsim: error: tasks: must be one group that calls mlock")
