"""The command as a process of its own: where its output goes, and signals."""

import os
import pty
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rfcsim import cli
from rfcsim.runs.simulate import simulate
from tests.house.project import ROOT
from tests.runs.examples import SMALL, TEXT
from tests.terminals import rest_of

COMMAND = [sys.executable, "-m", "rfcsim"]


@pytest.fixture
def small(tmp_path: Path) -> str:
    file = tmp_path / "small.toml"
    file.write_text(TEXT)
    return str(file)


def process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, text=True, stderr=subprocess.PIPE, **options
    )


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_command_is_a_process_of_its_own(small) -> None:
    version = process("--version", stdout=subprocess.PIPE)
    assert version.returncode == 0
    assert version.stdout.startswith("rfcsim ")
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "24"}
    narrow = process("run", small, stdout=subprocess.PIPE, env=ascii_only)
    assert (narrow.returncode, narrow.stderr) == (0, "")
    assert max(map(len, narrow.stdout.splitlines())) <= 24
    assert "class: victim" in narrow.stdout.splitlines()


def test_output_that_nobody_reads(small) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    nobody = process("presets", stdout=writer)
    os.close(writer)
    assert (nobody.returncode, nobody.stderr) == (cli.BROKEN_PIPE, "")

    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "run", small],
        cwd=ROOT,
        text=True,
        stderr=subprocess.PIPE,
    )
    assert (closed.returncode, closed.stderr) == (0, "")

    with open("/dev/full", "w") as full:
        complaint = process("presets", stdout=full)
    assert complaint.returncode == 2
    assert complaint.stderr == "rfcsim: error: standard output: No space left on device\n"


def test_a_disk_that_is_full_leaves_no_file(small, tmp_path) -> None:
    """The size limit of a file stands for a full disk: the write fails half way."""
    simulate(SMALL)  # compiled and cached, so that the limit meets the trace alone
    trace = tmp_path / "trace.parquet"
    trace.write_bytes(b"old")
    before = files_below(tmp_path)

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    failed = process(
        "run", small, "--trace", str(trace), "--force",
        stdout=subprocess.PIPE, preexec_fn=no_large_files,
    )  # fmt: skip
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == f"rfcsim: error: {trace}: File too large\n"
    assert files_below(tmp_path) == before
    assert trace.read_bytes() == b"old"


@pytest.mark.parametrize("replications", ["1", "4"])
def test_an_interrupt_ends_the_run_and_leaves_nothing(
    interruptible, tmp_path, replications
) -> None:
    endless = SMALL.replace(end_ns=10**15, **{"tasks.victim.repeats": 0})
    file = tmp_path / "endless.toml"
    file.write_text(endless.to_toml())
    charts = tmp_path / "charts"
    before = files_below(tmp_path)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, "run", str(file), "--replications", replications, "--charts", str(charts)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = b""
    while b"small" not in drawn:  # the progress bar is there: it has begun
        drawn += os.read(ours, 1000)
    running.send_signal(signal.SIGINT)
    drawn += rest_of(ours)
    out, _ = running.communicate()
    os.close(ours)
    assert running.returncode == cli.INTERRUPTED
    assert out == b""
    assert b"Traceback" not in drawn
    assert files_below(tmp_path) == before


IN_THE_MIDDLE = """
import os, signal
from rfcsim import cli
from rfcsim.runs import simulate

real = simulate.run_once

def interrupted(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*arguments, **options)

simulate.run_once = interrupted
cli.main()
"""


@pytest.mark.parametrize("ignored", [True, False])
def test_an_interrupt_that_was_ignored_before_is_ignored(interruptible, small, ignored) -> None:
    """As a shell asks for what it starts in the background: Ctrl-C is for another command."""

    def before() -> None:
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-c", IN_THE_MIDDLE, "run", small],
        cwd=ROOT,
        text=True,
        capture_output=True,
        preexec_fn=before,
    )
    assert (done.returncode, done.stderr) == (0 if ignored else cli.INTERRUPTED, "")
    assert ("victim" in done.stdout) == ignored
