"""Recording: what is switched on is switched off again, whatever happens."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rfcsim
from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits, read_trace, record
from rfcsim.live import record as face
from tests.trace.test_reader import HEADER, line

recorder = sys.modules["rfcsim.live.record"]
assert face is record

TRACE = HEADER.format(2) + line() + line()


class Tracefs:
    """A folder that behaves like tracefs: an instance comes with its files and goes with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.instances = root / "instances"
        self.instances.mkdir(parents=True)
        self.trace = TRACE
        self.events = True
        self.seen: dict[str, str] = {}

    def mkdir(self, folder: Path) -> None:
        os.mkdir(folder)
        for name in ("options", "events", "events/mmap_lock" if self.events else "events/sched"):
            os.mkdir(folder / name)
        (folder / "trace").write_text(self.trace)

    def rmdir(self, folder: Path) -> None:
        files = [file for file in folder.rglob("*") if file.is_file()]
        self.seen = {str(file.relative_to(folder)): file.read_text() for file in files}
        shutil.rmtree(folder)


@pytest.fixture
def tracefs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracefs]:
    made = Tracefs(tmp_path / "tracing")
    monkeypatch.setattr(Path, "mkdir", lambda self: made.mkdir(self))
    monkeypatch.setattr(Path, "rmdir", lambda self: made.rmdir(self))
    monkeypatch.setattr(recorder, "_tracefs", lambda: made.root)
    yield made
    monkeypatch.undo()
    assert not list(made.instances.iterdir())
    # It is switched off before it is removed.
    assert made.seen["tracing_on"] == made.seen["events/enable"] == "0"


def test_what_is_recorded_is_what_the_kernel_wrote(tracefs: Tracefs, tmp_path: Path) -> None:
    done = tmp_path / "done"
    assert record(["touch", str(done)], buffer_kib=99) == TRACE
    assert done.exists()
    assert tracefs.seen["trace_clock"] == "mono"
    assert tracefs.seen["buffer_size_kb"] == "99"
    assert tracefs.seen["options/event-fork"] == "1"
    assert tracefs.seen["events/mmap_lock/enable"] == "1"


def test_a_command_is_traced_before_it_begins(tracefs: Tracefs, tmp_path: Path) -> None:
    """When the command runs, its process is in the list, and tracing is on."""
    files = [str(tracefs.instances / "*" / name) for name in ("set_event_pid", "tracing_on")]
    script = f"echo $$ > {tmp_path}/pid; cat {' '.join(files)} > {tmp_path}/set"
    record(["sh", "-c", script])
    pid = (tmp_path / "pid").read_text().strip()
    assert (tmp_path / "set").read_text() == f"{pid}1"


def test_a_process_is_recorded_with_all_its_threads(tracefs: Tracefs) -> None:
    assert record(pid=os.getpid(), seconds=0.01) == TRACE
    pids = tracefs.seen["set_event_pid"].split()
    assert set(pids) == set(os.listdir("/proc/self/task"))


def test_a_command_that_takes_too_long_is_ended(
    tracefs: Tracefs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is asked to end, and may tidy up."""
    ready = tmp_path / "ready"
    # The time is over once the command is ready to be asked, and it may take as long as it likes.
    monkeypatch.setattr(recorder.time, "monotonic", lambda: 2.0 if ready.exists() else 0.0)
    monkeypatch.setattr(recorder, "_END_S", None)
    script = f"trap 'echo tidied > {tmp_path}/end; exit' TERM; echo $$ > {tmp_path}/pid; "
    script += f"touch {ready}; while :; do sleep 0.05; done"
    assert record(["sh", "-c", script], seconds=1) == TRACE
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()
    assert (tmp_path / "end").read_text() == "tidied\n"


def test_an_interrupt_ends_the_recording(
    interruptible: None, tracefs: Tracefs, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, real = [], recorder.time.sleep

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            signal.raise_signal(signal.SIGINT)
        real(seconds)

    monkeypatch.setattr(recorder.time, "sleep", sleep)
    assert record(["sleep", "1000"]) == TRACE
    assert waited[:3] == [recorder._LOOK_S] * 3


def test_an_error_in_the_middle_restores_everything(
    tracefs: Tracefs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("in the middle")

    monkeypatch.setattr(recorder, "_wait", fails)
    with pytest.raises(OSError, match="in the middle"):
        record(["sleep", "1000"])


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (TRACE.replace("2/2", "2/9"), "record: 7 of 9 events were lost: give a larger buffer_kib"),
        (HEADER.format(0), "record: nobody took mmap_lock meanwhile, or only without a tracepoint"),
    ],
)
def test_a_trace_that_is_not_whole_is_refused(tracefs: Tracefs, trace: str, message: str) -> None:
    tracefs.trace = trace
    with pytest.raises(LiveError) as caught:
        record(["true"])
    assert str(caught.value) == message


def test_what_cannot_be_recorded_is_told(tracefs: Tracefs) -> None:
    with pytest.raises(LiveError, match=r"^record: no-such-program x: no such program$"):
        record(["no-such-program", "x"])
    with pytest.raises(LiveError, match=r"^pid = 999999999: there is no such process$"):
        record(pid=999_999_999)
    tracefs.events = False
    with pytest.raises(LiveError, match=r"^record: the kernel has no tracepoints mmap_lock \(Linu"):
        record(["true"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "record: either a command or a pid must be given"),
        ({"command": ["true"], "pid": 1}, "record: either a command or a pid must be given"),
        ({"pid": 1, "seconds": 0}, "seconds = 0: must be more than 0"),
        ({"pid": 1, "buffer_kib": 0}, "buffer_kib = 0: must be 1 to 4194304"),
    ],
)
def test_bad_input(options: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        record(**options)
    assert str(caught.value).startswith(message)


def test_a_container_that_hides_tracefs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "proc_lines", lambda _: ["1 1 0:1 / /proc rw - proc proc rw"])
    with pytest.raises(LiveError) as caught:
        record(["true"])
    assert str(caught.value) == (
        "record: no tracefs is mounted here (as root: mount -t tracefs nodev /sys/kernel/tracing); "
        "`rfcsim measure` needs no tracefs"
    )


def test_tracefs_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mount = f"36 23 0:7 / {tmp_path} rw,relatime - tracefs nodev rw"
    monkeypatch.setattr(limits, "proc_lines", lambda _: [mount])
    with pytest.raises(LiveError) as caught:
        record(["true"])  # nobody made a folder "instances"
    assert str(caught.value) == (
        f"record: {tmp_path}/instances/rfcsim-{os.getpid()}: No such file or directory; "
        "as root it may work; `rfcsim measure` needs no tracefs"
    )


def test_on_this_machine_it_works_or_says_why_not(tmp_path: Path) -> None:
    try:
        text = rfcsim.record(["true"])
    except LiveError as error:
        assert str(error).startswith("record: ")
        assert str(error).endswith("`rfcsim measure` needs no tracefs")
        assert "\n" not in str(error)
        return
    file = tmp_path / "trace.txt"
    file.write_text(text)
    assert "exclusive" in read_trace(file)["mode"].to_list()
    assert not list(Path(recorder._tracefs()).glob("instances/rfcsim-*"))


def test_the_command(tracefs: Tracefs, rfcsim, tmp_path: Path) -> None:
    file, chart = tmp_path / "trace.txt", tmp_path / "trace.json"
    assert rfcsim("record", "-o", file, "sh", "-c", "exit 0") == (0, "", "")
    assert file.read_text() == TRACE
    status, _, err = rfcsim("record", "-o", file, "--", "true")
    assert (status, err) == (
        2, f"rfcsim: error: {file}: exists, must be new (or give --force)\n",
    )  # fmt: skip
    assert rfcsim("perfetto", file, "-o", chart) == (0, "", "")
    assert chart.exists()
