"""Progress as a bar: drawn if standard error is a terminal, or if it is asked for."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from rfcsim.rerun import rerun_notebook
from rfcsim.runs.progress import reporter
from rfcsim.runs.sweep import sweep
from tests.house.project import ROOT
from tests.runs.examples import SMALL

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONGEST_S = 30.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Set the time that the bar sees."""
    now = [0.0]
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    return now


def states(stream: io.StringIO) -> list[str]:
    """List the states of the bar in order, without the drawn part."""
    lines = re.split(r"[\r\n]+", ESCAPE.sub("", stream.getvalue()))
    return [" ".join(re.sub("[╸╺━]", " ", line).split()) for line in lines]


def wait_for(wanted: str, stream: io.StringIO) -> None:
    """Wait until the bar shows something: a thread draws it a few times a second."""
    end = time.monotonic() + LONGEST_S
    while not any(wanted in state for state in states(stream)):
        assert time.monotonic() < end, states(stream)
        time.sleep(0.01)


def test_a_bar_shows_the_share_the_runs_and_the_time_that_remains(monkeypatch, clock) -> None:
    stream = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stderr", stream)
    with reporter(None, "small", 40) as report:
        assert report is not None
        report(0.25)
        wait_for("small 25% 10 of 40 runs -:--:--", stream)
        clock[0] = 10.0
        report(0.5)
        clock[0] = 1000.0
        report(0.75)
        # Twenty took 1000 s by now, and the first ten were done before.
        wait_for("small 75% 30 of 40 runs 0:08:20", stream)
        report(1.0)
    drawn = [state for state in states(stream) if state]
    assert drawn[-1] == "small 100% 40 of 40 runs 0:16:40"  # what it took
    assert stream.getvalue().endswith("\x1b[?25h")  # the cursor is back


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_long_name_does_not_break_the_line(monkeypatch, columns: str) -> None:
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stderr", stream)
    with reporter(True, " and ".join(["[a] scenario"] * 20), 40) as report:
        assert report is not None
        report(0.5)
    assert "\x1b[1A" not in stream.getvalue()  # no line up
    assert "[a] sce" in stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "wanted", "ci", "is_written"),
    [
        (Terminal, None, False, True),
        (Terminal, None, True, False),
        (Terminal, False, False, False),
        (io.StringIO, None, False, False),
        (io.StringIO, True, True, True),
    ],
)
def test_it_is_off_where_nobody_looks(
    monkeypatch, stream: Callable[[], io.StringIO], wanted, ci: bool, is_written: bool
) -> None:
    monkeypatch.setenv("CI", "1") if ci else monkeypatch.delenv("CI", raising=False)
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    with reporter(wanted, "small", 40) as report:
        assert (report is not None) == is_written
        if report is not None:
            report(0.5)
    assert ("50% 20 of 40 runs" in "\n".join(states(written))) == is_written


def test_a_log_file_grows_while_the_work_goes_on(monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", stream)
    with reporter(True, "small", 40) as report:
        assert report is not None
        report(0.5)
        wait_for("50% 20 of 40 runs", stream)


@pytest.mark.parametrize("wanted", [None, True])
def test_without_a_standard_error_there_is_none(monkeypatch, wanted: bool | None) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert len(sweep(SMALL, {"cpus": [1]}, replications=1, progress=wanted))


def test_a_sweep_is_silent_unless_somebody_looks_or_asks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sweep(SMALL, {"cpus": [1]}, replications=2)
    assert capsys.readouterr().err == ""
    sweep(SMALL, {"cpus": [1]}, replications=2, progress=True)
    assert "100% 2 of 2 runs" in ESCAPE.sub("", capsys.readouterr().err)


def test_in_a_notebook_it_is_silent_unless_asked(tmp_path: Path) -> None:
    first = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.runs.examples import SMALL\n"
        "from rfcsim.runs.sweep import sweep"
    )
    sweeps = [f"rows = sweep(SMALL, {{'cpus': [1]}}, progress={asked})" for asked in (None, True)]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in (first, *sweeps)]
    )
    nbformat.write(notebook, tmp_path / "sweeps.ipynb")
    *_, silent, asked = rerun_notebook(tmp_path / "sweeps.ipynb").cells
    assert silent.outputs == []
    assert "application/vnd.jupyter.widget-view+json" in asked.outputs[0].data
