"""Perfetto's JSON: it obeys the rules of its format, and has everything that the events have."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rfcsim.data import data_names, data_path
from rfcsim.errors import RfcsimError
from rfcsim.live import read_trace
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.presets import preset
from rfcsim.trace.frame import EVENT_SCHEMA, lock_intervals
from rfcsim.trace.perfetto import write_perfetto


def simulated() -> pl.DataFrame:
    """A trace with calls, CPUs and a disk, cut off in the middle."""
    return simulate(preset("cold-file-1gb"), trace=3000).trace


def written(events: pl.DataFrame, folder: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    file = folder / "trace.json"
    write_perfetto(events, file)
    assert list(folder.iterdir()) == [file]
    document = json.loads(file.read_text(), parse_constant=refuse)
    assert document["displayTimeUnit"] in ("ms", "ns")
    return document["traceEvents"]


def check(events: list[dict[str, Any]]) -> None:
    """The rules of the Trace Event Format for the phases that are used."""
    tracks: dict[tuple[int, int], list[tuple[float, float]]] = {}
    asynchronous: dict[tuple[str, int], list[str]] = {}
    names = set()
    for event in events:
        assert event["ph"] in ("X", "M", "b", "e")
        assert isinstance(event["name"], str) and event["name"]
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
        assert isinstance(event["ts"], int | float) and event["ts"] >= 0
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert isinstance(event["args"]["name"], str)
            names.add((event["pid"], event["tid"]))
            continue
        assert isinstance(event["cat"], str)
        assert (event["pid"], event["tid"]) in names and (event["pid"], 0) in names
        if event["ph"] == "X":
            assert event["dur"] >= 0
            track = tracks.setdefault((event["pid"], event["tid"]), [])
            track.append((event["ts"], event["ts"] + event["dur"]))
        else:
            asynchronous.setdefault((event["cat"], event["id"]), []).append(event["ph"])
    assert all(phases == ["b", "e"] for phases in asynchronous.values())
    # Two slices of one track are nested or apart: they never overlap in part.
    for slices in tracks.values():
        under_way: list[float] = []
        for start, end in slices:
            while under_way and under_way[-1] <= start + 1e-4:
                under_way.pop()
            assert not under_way or end <= under_way[-1] + 1e-4
            under_way.append(end)


@pytest.mark.parametrize("name", data_names("traces"))
def test_a_real_kernels_trace(name: str, tmp_path: Path) -> None:
    events = read_trace(data_path("traces", name))
    found = written(events, tmp_path)
    check(found)
    intervals = lock_intervals(events)
    slices = [event for event in found if event["ph"] == "X"]
    tasks = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in found
        if event["name"] == "thread_name"
    }
    assert sorted(
        (
            tasks[each["pid"], each["tid"]],
            each["cat"],
            each["name"].rsplit(" ", 1)[1],
            round(each["ts"] * 1000),
            round((each["ts"] + each["dur"]) * 1000),
        )
        for each in slices
    ) == sorted(intervals.select("task", "state", "mode", "start_ns", "end_ns").rows())


def test_a_simulated_trace(tmp_path: Path) -> None:
    events = simulated()
    found = written(events, tmp_path)
    check(found)
    count = {kind: sum(event.get("cat") == kind for event in found) for kind in ("call", "cpu")}
    assert count["call"] == (events["event"] == "call_begin").sum()
    assert count["cpu"] == (events["event"] == "run").sum()
    reads = [event for event in found if event["ph"] == "b"]
    assert len(reads) == (events["event"] == "disk_start").sum() > 0
    processes = [event["args"]["name"] for event in found if event["name"] == "process_name"]
    assert processes == ["lock mmap_sem", "CPUs", "disk"]
    # The trace ends before the locker's call does.
    open_ = [event for event in found if event.get("args", {}).get("open")]
    assert "mlock" in {event["name"] for event in open_}
    last_us = events["time_ns"].to_numpy().max() / 1000
    assert all(event["ts"] + event["dur"] == pytest.approx(last_us) for event in open_)


def test_what_a_call_returned_is_its_argument(tmp_path: Path) -> None:
    rows = [
        {"time_ns": 1, "task": "a 0", "class": "a", "event": "call_begin", "call": "mlock"},
        {"time_ns": 5, "task": "a 0", "class": "a", "event": "call_end", "call": "mlock"}
        | {"value": -12},
    ]
    (call,) = [
        event for event in written(pl.DataFrame(rows, EVENT_SCHEMA), tmp_path) if event["ph"] == "X"
    ]
    assert (call["name"], call["args"]) == ("mlock", {"returned": -12})
    assert (call["ts"], call["dur"]) == (0.001, 0.004)


def test_each_lock_is_a_process_of_its_own(tmp_path: Path) -> None:
    one = read_trace(data_path("traces", "mlock-whole-other-cpu"))
    other = one.with_columns(pl.lit("other").alias("lock"))
    found = written(pl.concat([one, other]).sort("time_ns", maintain_order=True), tmp_path)
    names = {
        event["args"]["name"]: event["pid"] for event in found if event["name"] == "process_name"
    }
    assert len(names) == 2 and "lock other" in names
    assert len({event["tid"] for event in found if event["ph"] == "X"}) == 4


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(RfcsimError, match="the frame has no events"):
        write_perfetto(pl.DataFrame(schema=EVENT_SCHEMA), tmp_path / "trace.json")
    with pytest.raises(RfcsimError, match=r"cannot be written: No such file or directory$"):
        write_perfetto(simulated(), tmp_path / "missing" / "trace.json")
    with pytest.raises(RfcsimError, match=r"^/dev/null: cannot be written: is no regular file"):
        write_perfetto(simulated(), "/dev/null")
    assert not list(tmp_path.iterdir())
