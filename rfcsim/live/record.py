"""Record the mmap_lock tracepoints of this kernel, in a tracefs instance of our own.

An instance has its own buffer, clock and switches. Nothing that others trace is touched, and
removing the instance restores everything.
"""

import contextlib
import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits
from rfcsim.scenario.checked import check_range
from rfcsim.trace.reader import entries

EVENTS = "mmap_lock"
BUFFER_KIB = 16_384  # per CPU: some 400,000 events
MOST_BUFFER_KIB = 1 << 22
WITHOUT = "`rfcsim measure` needs no tracefs"
_LOOK_S = 0.05  # how often to look whether a process is still there
_END_S = 5.0  # how long a command may take to end once it was asked to

# The shell stops itself. Once it is traced and told to go on, it becomes the command.
_STOPPED = ["sh", "-c", 'kill -STOP $$; exec "$@"', "sh"]


def record(
    command: Sequence[str] | None = None,
    *,
    pid: int | None = None,
    seconds: float | None = None,
    buffer_kib: int = BUFFER_KIB,
) -> str:
    """Record which threads of a command, or of a running process, take mmap_lock.

    Ctrl-C ends the recording, and so does the end of the process. Processes that it starts are
    recorded too. Whatever was set is restored, even after an error.

    Parameters
    ----------
    command : sequence of str, optional
        A program and its arguments, to run.
    pid : int, optional
        A process that already runs. Either this or `command` must be given.
    seconds : float, optional
        End after this time; a command that still runs is ended then.
    buffer_kib : int
        Room for events, per CPU.

    Returns
    -------
    str
        The text of `trace` in tracefs, on the clock `mono`: what `read_trace` reads from a file.

    Raises
    ------
    LiveError
        If this is not Linux, tracefs is not there or not writable, the kernel has no such
        tracepoints, there is no such process or program, events were lost, or there were none.
    RfcsimError
        If an argument is out of range.

    Source: Documentation/trace/ftrace.rst, "Instances".
    """
    limits.require_linux("record")
    if (command is None) == (pid is None):
        raise RfcsimError("record: either a command or a pid must be given")
    if seconds is not None and not 0 < seconds < math.inf:
        raise RfcsimError(f"seconds = {seconds}: must be more than 0")
    check_range("buffer_kib", buffer_kib, 1, MOST_BUFFER_KIB)
    with _instance() as trace:
        _set(trace / "trace_clock", "mono")
        _set(trace / "buffer_size_kb", str(buffer_kib))
        _set(trace / "options" / "event-fork", "1")
        with _process(command, pid) as (first, process):
            _set(trace / "set_event_pid", " ".join(map(str, _threads(first))))
            _set(trace / "events" / EVENTS / "enable", "1")
            _set(trace / "tracing_on", "1")
            with contextlib.suppress(KeyboardInterrupt):
                if process is not None:
                    os.kill(first, signal.SIGCONT)
                _wait(first, process, seconds)
            _set(trace / "tracing_on", "0")
        return _complete((trace / "trace").read_text(errors="replace"))


@contextlib.contextmanager
def _instance() -> Iterator[Path]:
    """A tracing instance, switched off; it is removed at the end."""
    trace = _tracefs() / "instances" / f"rfcsim-{os.getpid()}"
    try:
        trace.mkdir()
    except OSError as error:
        raise LiveError(
            f"record: {trace}: {error.strerror}; as root it may work; {WITHOUT}"
        ) from None
    try:
        _set(trace / "tracing_on", "0")
        if not (trace / "events" / EVENTS).is_dir():
            raise LiveError(
                f"record: the kernel has no tracepoints {EVENTS} (Linux 5.11, CONFIG_TRACING); "
                + WITHOUT
            )
        yield trace
    finally:
        for switch in (trace / "tracing_on", trace / "events" / "enable"):
            with contextlib.suppress(OSError):
                switch.write_text("0")
        try:
            trace.rmdir()
        except OSError as error:
            raise LiveError(f"record: {trace}: cannot be removed: {error.strerror}") from None


def _tracefs() -> Path:
    for line in limits.proc_lines("self/mountinfo"):
        where, _, what = line.partition(" - ")
        if what.split()[0] == "tracefs":
            return Path(where.split()[4])
    raise LiveError(
        "record: no tracefs is mounted here (as root: mount -t tracefs nodev /sys/kernel/tracing); "
        + WITHOUT
    )


def _set(file: Path, value: str) -> None:
    try:
        file.write_text(value)
    except OSError as error:
        raise LiveError(f"record: {file}: {error.strerror}, writing {value!r}") from None


@contextlib.contextmanager
def _process(
    command: Sequence[str] | None, pid: int | None
) -> Iterator[tuple[int, subprocess.Popen | None]]:
    """The process to record; a command is started, but stopped before it begins."""
    if command is None:
        assert pid is not None
        yield pid, None
        return
    if not command or shutil.which(command[0]) is None:
        raise LiveError(f"record: {' '.join(command) or 'the command'}: no such program")
    process = subprocess.Popen([*_STOPPED, *command])
    try:
        os.waitpid(process.pid, os.WUNTRACED)
        yield process.pid, process
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """Let a command that was interrupted end; end it if it does not."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(OSError):
            os.kill(process.pid, signal.SIGCONT)  # in case it is still stopped
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _threads(pid: int) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(limits.PROC / str(pid) / "task"))
    except OSError:
        raise LiveError(f"pid = {pid}: there is no such process") from None


def _wait(pid: int, process: subprocess.Popen | None, seconds: float | None) -> None:
    """Wait until the process ends or the time is over."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None if process else not (limits.PROC / str(pid)).exists():
            return
        time.sleep(min(_LOOK_S, max(0.0, end - time.monotonic())))


def _complete(text: str) -> str:
    """Refuse a trace that has lost events, or has none."""
    left, written = entries(text)
    if left < written:
        raise LiveError(
            f"record: {written - left} of {written} events were lost: give a larger buffer_kib"
        )
    if not written:
        raise LiveError("record: nobody took mmap_lock meanwhile, or only without a tracepoint")
    return text
