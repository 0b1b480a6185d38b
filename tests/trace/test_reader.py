"""Traces of a real kernel: what is read is what is in the file, and no file is read in part."""

import re
from pathlib import Path
from statistics import median

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.data import data_names, data_path
from rfcsim.errors import TraceError
from rfcsim.live import read_trace
from rfcsim.runs.simulate import simulate
from rfcsim.trace.frame import EVENT_SCHEMA, lock_intervals
from tests.runs.examples import SMALL

# All others are the text of `trace` in tracefs.
OTHER_FORMS = ("perf-script", "trace-cmd-report")
RECORDED = [name for name in data_names("traces") if name not in OTHER_FORMS]

HEADER = "# tracer: nop\n#\n# entries-in-buffer/entries-written: {0}/{0}   #P:2\n#\n"


def line(
    stamp: str = "1.000000",
    event: str = "start_locking",
    comm: str = "a",
    tid: int = 7,
    mm: str = "0m",
) -> str:
    success = " success=true" if event == "acquire_returned" else ""
    fields = f"mm={mm} memcg_id=1 write=true{success}"
    return f"{comm:>16}-{tid:<7} [001] .....  {stamp}: mmap_lock_{event}: {fields}\n"


def trace_file(folder: Path, *lines: str, header: str | None = None) -> Path:
    path = folder / "trace.txt"
    path.write_text((HEADER.format(len(lines)) if header is None else header) + "".join(lines))
    return path


def refused(path: Path, mm: str | None = None) -> str:
    with pytest.raises(TraceError) as caught:
        read_trace(path, mm=mm)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


# --- the recorded traces ----------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_every_event_of_the_file_is_in_the_frame(name: str) -> None:
    path = data_path("traces", name)
    text = path.read_text()
    events = pl.concat(read_trace(path, mm=mm) for mm in sorted(set(re.findall(r"mm=(\w+)", text))))
    assert events.schema == EVENT_SCHEMA
    for tracepoint in ("start_locking", "acquire_returned", "released"):
        assert (events["event"] == tracepoint).sum() == text.count(f": mmap_lock_{tracepoint}: ")
    assert (events["mode"] == "exclusive").sum() == text.count("write=true")
    assert set(events["class"]) == {"probe3", "victim"}


@pytest.mark.parametrize("name", RECORDED)
def test_stamps_are_exact(name: str) -> None:
    path = data_path("traces", name)
    busiest = read_trace(path)["lock"][0]
    stamps = re.findall(rf"(\d+\.\d{{6}}): \w+: mm={busiest}", path.read_text())
    assert [
        f"{ns // 10**9}.{ns % 10**9:09}" for ns in read_trace(path, absolute=True)["time_ns"]
    ] == [f"{stamp}000" for stamp in stamps]
    first_ns = read_trace(path, absolute=True)["time_ns"] - read_trace(path)["time_ns"]
    assert first_ns.n_unique() == 1


@pytest.mark.parametrize("name", RECORDED)
def test_nobody_holds_the_lock_beside_an_exclusive_holder(name: str) -> None:
    """Except for a microsecond: stamps are rounded, and a release is traced before it happens."""
    holds = lock_intervals(read_trace(data_path("traces", name))).filter(state="holding")
    assert not holds["open"].any()
    exclusive = holds.filter(mode="exclusive")
    both = exclusive.join_where(
        holds,
        pl.col("task") != pl.col("task_right"),
        pl.col("start_ns") + 1000 < pl.col("end_ns_right"),
        pl.col("start_ns_right") + 1000 < pl.col("end_ns"),
    )
    assert both.is_empty()


def victim_pairs_ms(events: pl.DataFrame) -> list[float]:
    """mmap() and munmap() of the victim, from the first's request to the second's release."""
    victim = events.filter(pl.col("class") == "victim")
    # Its very first exclusive request belongs to the start of the thread.
    asked = victim.filter(event="start_locking", mode="exclusive")["time_ns"].to_list()[1:]
    released = victim.filter(event="released")["time_ns"]
    ended = [released.filter(released >= time)[0] for time in asked]
    return [(end - begin) / 1e6 for begin, end in zip(asked[::2], ended[1::2], strict=True)]


@pytest.mark.parametrize(
    ("name", "median_ms", "longest_ms"),
    [
        ("pieces-256-other-cpu", 14.9, 16.0),
        ("pieces-256-same-cpu", 0.25, 0.34),
        ("pieces-256-pause-40us", 0.15, 0.38),
        ("mlock-pieces-256-other-cpu", 6.8, 7.2),
    ],
)
def test_the_victims_stated_figures(name: str, median_ms: float, longest_ms: float) -> None:
    """The program timed whole calls, which are longer by the 10 us outside the lock."""
    pairs = victim_pairs_ms(read_trace(data_path("traces", name)))
    assert median(pairs) == pytest.approx(median_ms, rel=0.005, abs=0.012)
    assert max(pairs) == pytest.approx(longest_ms, rel=0.006, abs=0.012)


def test_the_victim_of_the_whole_mlock_waits_until_it_ends() -> None:
    intervals = lock_intervals(read_trace(data_path("traces", "mlock-whole-other-cpu")))
    length_ns = pl.col("end_ns") - pl.col("start_ns")
    (hold,) = intervals.filter(state="holding").top_k(1, by=length_ns).iter_rows(named=True)
    (wait,) = intervals.filter(state="waiting").top_k(1, by=length_ns).iter_rows(named=True)
    assert (hold["class"], hold["mode"]) == ("probe3", "shared")
    assert (wait["class"], wait["mode"]) == ("victim", "exclusive")
    assert hold["start_ns"] < wait["start_ns"]
    assert 0 <= wait["end_ns"] - hold["end_ns"] < 100_000


@pytest.mark.parametrize(
    ("name", "pieces", "total_ms"),
    [
        ("mlock-whole-other-cpu", 1, 180),
        ("pieces-256-other-cpu", 256, 84),
        ("pieces-256-same-cpu", 256, 69),
        ("pieces-256-pause-40us", 256, 100),
        ("mlock-pieces-256-other-cpu", 256, 88),
    ],
)
def test_the_lockers_stated_total(name: str, pieces: int, total_ms: int) -> None:
    intervals = lock_intervals(read_trace(data_path("traces", name)))
    # Long shared holds of the locker: its pieces, and the munmap() of everything at the end.
    long = intervals.filter(
        pl.col("class") == "probe3",
        pl.col("state") == "holding",
        pl.col("mode") == "shared",
        pl.col("end_ns") - pl.col("start_ns") > 100_000,
    )
    assert len(long) == pieces + 1
    assert (long["end_ns"][-2] - long["start_ns"][0]) / 1e6 == pytest.approx(total_ms, abs=0.5)


# --- other forms ------------------------------------------------------------------------------


def headless(name: str) -> list[str]:
    """The events of a recorded `trace`, as `trace_pipe` has them."""
    lines = data_path("traces", name).read_text().splitlines(keepends=True)
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("name", RECORDED)
def test_a_trace_pipe_has_the_events_of_the_trace(tmp_path: Path, name: str) -> None:
    path = trace_file(tmp_path, *headless(name), header="")
    assert read_trace(path).equals(read_trace(data_path("traces", name)))


def test_a_trace_pipe_may_be_out_of_order(tmp_path: Path) -> None:
    """Each CPU has its own buffer, and the kernel hands out what is there."""
    path = trace_file(tmp_path, line("2.000001"), line("2.000000"), line("2.000002"), header="")
    assert read_trace(path)["time_ns"].to_list() == [0, 1000, 2000]


@pytest.mark.parametrize("name", RECORDED)
def test_a_trace_cmd_report_has_the_events_of_the_trace(tmp_path: Path, name: str) -> None:
    """It leaves out the flags, and pads the name of the event."""
    lines = [re.sub(r"(\[\d+\]) \S+ +(\S+: \w+:)", r"\1 \2  ", event) for event in headless(name)]
    assert lines != headless(name)
    for head, before in (("cpus=2\n", ""), ("version = 6\nCPU 1 is empty\ncpus=2\n", "inst:  ")):
        path = trace_file(tmp_path, *(before + event for event in lines), header=head)
        assert read_trace(path).equals(read_trace(data_path("traces", name)))


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("pid", ["", "4711/"])
def test_a_perf_script_has_the_events_of_the_trace(tmp_path: Path, name: str, pid: str) -> None:
    lines = [
        re.sub(
            r"^ *(.*)-(\d+) +(\[\d+\]) \S+ +(\S+:) (\w+:)",
            rf"{{0:>16}} {pid}\2 \3 \4    mmap_lock:\5",
            event,
        ).format(event.strip().partition("-")[0])
        for event in headless(name)
    ]
    assert all("mmap_lock:mmap_lock_" in event for event in lines)
    lines.insert(1, "\tffffffff8111 down_read+0x1 ([kernel.kallsyms])\n\n")
    path = trace_file(tmp_path, *lines, header="# captured on: a day\n#\n")
    assert read_trace(path).equals(read_trace(data_path("traces", name)))


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_what_the_tools_wrote_is_read(name: str) -> None:
    text = data_path("traces", name).read_text()
    events = read_trace(data_path("traces", name), absolute=True)
    assert len(events) == text.count("write=")
    assert set(events["class"]) == {"locker", "victim"}
    found = re.findall(r"\d+\.\d{6,9}", text)
    stamps = [re.sub(r"\D", "", stamp).ljust(14, "0") for stamp in found]
    assert [str(time) for time in events["time_ns"]] == stamps
    holds = lock_intervals(events).filter(state="holding", mode="shared")
    # The pieces of the locker; then it gives the memory back.
    length_ns = holds["end_ns"] - holds["start_ns"]
    assert (holds.filter(length_ns > 100_000)["class"] == "locker").sum() >= 16


def test_nanoseconds_are_kept(tmp_path: Path) -> None:
    path = trace_file(tmp_path, line("1.000000001"), line("1.000000250"), header="")
    assert read_trace(path, absolute=True)["time_ns"].to_list() == [1_000_000_001, 1_000_000_250]


@pytest.mark.parametrize(
    "lost",
    [
        "CPU:1 [LOST 31 EVENTS]\n",
        "CPU:0 [12 EVENTS DROPPED]\n",
        "CPU:0 [EVENTS DROPPED]\n",
        "instance: CPU:1 [419343 EVENTS DROPPED]\n",
        "  victim  8 [001]  1.000000: PERF_RECORD_LOST lost 5\n",
    ],
)
@pytest.mark.parametrize("header", ["", "cpus=2\n"])
def test_events_that_were_lost_on_the_way_are_refused(
    tmp_path: Path, lost: str, header: str
) -> None:
    message = refused(trace_file(tmp_path, line(), lost, line(), header=header))
    assert "events were lost here" in message


@given(name=st.sampled_from(OTHER_FORMS), cut=st.integers(1, 2000))
def test_another_form_that_is_cut_off_in_a_line_is_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, cut: int
) -> None:
    content = data_path("traces", name).read_bytes()[:-cut]
    path = tmp_path_factory.getbasetemp() / "cut-form.txt"
    path.write_bytes(content)
    if content.endswith(b"\n"):
        assert len(read_trace(path)) == content.count(b"write=")
    else:
        assert "expected a complete line" in refused(path)


def test_a_simulated_trace_is_read_as_it_is(tmp_path: Path) -> None:
    events = simulate(SMALL, trace=10_000).trace
    file = tmp_path / "trace.parquet"
    events.write_parquet(file)
    assert read_trace(file).equals(events)
    with pytest.raises(TraceError, match="a simulated trace has one address space only"):
        read_trace(file, mm="mm")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(TraceError, match="is no readable Parquet file: cut off"):
        read_trace(file)
    pl.DataFrame({"time_ns": [1]}).write_parquet(file)
    with pytest.raises(TraceError, match="is no trace"):
        read_trace(file)


# --- nothing is read in part ------------------------------------------------------------------

SHORTEST = data_path("traces", "mlock-whole-other-cpu").read_bytes()
LINE_ENDS = [match.end() for match in re.finditer(rb"\n", SHORTEST)]


@given(st.integers(0, len(SHORTEST) - 1) | st.sampled_from(LINE_ENDS[:-1]))
def test_a_trace_that_is_cut_off_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.txt"
    path.write_bytes(SHORTEST[:length])
    refused(path)


@pytest.mark.parametrize("left_off", [1, 2, 60])
def test_a_trace_that_is_cut_off_within_a_line_says_so(tmp_path: Path, left_off: int) -> None:
    path = trace_file(tmp_path, line(), line())
    path.write_text(path.read_text()[:-left_off])
    assert "line 6: expected a complete line" in refused(path)


def test_a_trace_that_is_cut_off_after_a_line_names_both_counts(tmp_path: Path) -> None:
    path = trace_file(tmp_path, line(), line(), header=HEADER.format(3))
    assert "line 3: expected 3 event lines, got 2" in refused(path)


def test_a_filtered_trace_says_how_much_was_kept(tmp_path: Path) -> None:
    kept = HEADER.format(9) + "# entries-kept: 2\n"
    assert len(read_trace(trace_file(tmp_path, line(), line(), header=kept))) == 2
    assert "line 5: expected 2" in refused(trace_file(tmp_path, line(), header=kept))


def test_lost_events_are_refused(tmp_path: Path) -> None:
    path = trace_file(tmp_path, line(), header=HEADER.format(1).replace("1/1", "1/21"))
    assert "line 3: 20 of 21 entries were lost" in refused(path)


# --- files that are no such trace -------------------------------------------------------------


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.txt")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\x7fELF\x02\x01\x01\x00\xff\xfe" * 50, b"time,event\n1,2\n", b"\x1f\x8b\x08\0"],
)
def test_what_does_not_begin_as_a_trace_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    assert "line 1: expected '# tracer:'" in refused(path)


def test_a_header_without_its_counts_is_refused(tmp_path: Path) -> None:
    path = trace_file(tmp_path, line(), header="# tracer: nop\n")
    assert "line 1: expected a header line '# entries-in-buffer" in refused(path)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ("CPU:1 [LOST 31 EVENTS]\n", "events were lost here, record with a larger buffer: 'CPU:1 "),
        ("\0\0\0\0\n", "expected 'comm-tid [cpu] flags s.us: event: ...'"),
        (line(stamp="1234567"), "expected 'comm-tid [cpu] flags s.us: event: ...'"),
        (line(stamp="0.999999"), "time 0.999999 runs backwards"),
        (
            line().replace("write=true", "write=yes"),
            "expected mm=... memcg_...=... write=true|false",
        ),
        (line(event="acquire_returned").replace(" success=true", ""), "success=true|false"),
        (line(event="released")[:-1] + " success=true\n", "expected mm=..."),
    ],
)
def test_a_line_that_does_not_parse_is_named(tmp_path: Path, bad: str, expected: str) -> None:
    message = refused(trace_file(tmp_path, line(), bad, line()))
    assert "line 6: " in message
    assert expected in message


def test_a_trace_without_the_tracepoints_is_refused(tmp_path: Path) -> None:
    other = line().replace("mmap_lock_start_locking", "sched_switch")
    message = refused(trace_file(tmp_path, other))
    assert "expected events mmap_lock_start_locking" in message


def test_an_address_space_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    path = trace_file(tmp_path, line(mm="0one"), line(mm="0two"))
    assert "mm is '0three', but the trace has only 0one, 0two" in refused(path, mm="0three")


# --- what the format allows -------------------------------------------------------------------


def test_the_busiest_address_space_is_read_unless_another_is_named(tmp_path: Path) -> None:
    path = trace_file(
        tmp_path,
        line(mm="0one"),
        line("1.000003", mm="0two"),
        line("1.5", mm="0two").replace("1.5:", "1.500000:"),
    )
    assert read_trace(path)["time_ns"].to_list() == [3_000, 500_000_000]
    assert read_trace(path, mm="0one")["time_ns"].to_list() == [0]
    assert read_trace(path, mm="0one", absolute=True)["time_ns"].to_list() == [1_000_000_000]


def test_other_events_and_the_forms_of_other_kernels_are_read(tmp_path: Path) -> None:
    path = trace_file(
        tmp_path,
        # 5.11 names the memory cgroup by its path, which may be empty or have blanks in it.
        line().replace("memcg_id=1", "memcg_path=/user.slice/my app"),
        line(event="released").replace("memcg_id=1", "memcg_path="),
        # Options record-tgid and noirq-info.
        " Web Content-12 ( 11) [000]  2.000000: mmap_lock_released: mm=0m memcg_id=1 write=false\n",
        "  <idle>-0 (-----) [000] d....  2.000001: sched_switch: prev_comm=a ==> next_comm=b\n",
    )
    events = read_trace(path)
    assert events["task"].to_list() == ["a-7", "a-7", "Web Content-12"]
    assert events["mode"].to_list() == ["exclusive", "exclusive", "shared"]


def test_a_failed_attempt_is_an_event_of_its_own(tmp_path: Path) -> None:
    failed = line(event="acquire_returned").replace("success=true", "success=false")
    assert read_trace(trace_file(tmp_path, failed))["event"].to_list() == ["acquire_failed"]


def test_a_thread_has_one_name_however_often_it_changes_it(tmp_path: Path) -> None:
    names = ["<...>", "parent", "victim", "<...>"]
    path = trace_file(tmp_path, *(line(comm=name) for name in names))
    assert read_trace(path)["task"].to_list() == ["victim-7"] * 4
