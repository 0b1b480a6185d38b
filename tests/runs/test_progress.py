"""Progress without a bar: one line, if somebody looks or if it is asked for."""

import io

import pytest

from rfcsim.runs.progress import reporter
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("rfcsim.runs.progress.time.monotonic", lambda: now[0])
    return now


def written(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, wanted, time) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    with reporter(wanted, "small", 40) as report:
        for share, at in ((0.25, 0.0), (0.3, 0.1), (0.5, 10.0), (1.0, 10.1)):
            time[0] = at
            if report is not None:
                report(share)
    return stream.getvalue()


def test_a_line_is_written_over_and_over(monkeypatch, time) -> None:
    monkeypatch.delenv("CI", raising=False)
    lines = written(monkeypatch, Terminal(), None, time).split("\r")
    assert [line.rstrip() for line in lines] == [
        "",
        "small: 10 of 40 runs",
        "small: 20 of 40 runs, 20.0 s left",  # a quarter took 10 s; the first was done before
        "small: 40 of 40 runs",
    ]
    assert lines[-1].endswith("\n")
    assert len(lines[-1].rstrip("\n")) == len(lines[-2])  # nothing of the longer line is left


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
def test_it_is_off_where_nobody_looks(monkeypatch, time, stream, wanted, ci, is_written) -> None:
    monkeypatch.setenv("CI", "1") if ci else monkeypatch.delenv("CI", raising=False)
    assert bool(written(monkeypatch, stream(), wanted, time)) == is_written


def test_without_a_standard_error_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert len(sweep(SMALL, {"cpus": [1]}, replications=1))


def test_a_sweep_is_silent_in_a_notebook_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    sweep(SMALL, {"cpus": [1]}, replications=2)
    assert capsys.readouterr().err == ""
    sweep(SMALL, {"cpus": [1]}, replications=2, progress=True)
    assert capsys.readouterr().err.rstrip().endswith("small: 2 of 2 runs")
