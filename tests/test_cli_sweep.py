"""The command's sweep: what it prints and writes, and that an interrupt says how to go on."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from rfcsim import cli
from rfcsim.runs.statistics import sweep_table
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL, TEXT
from tests.terminals import rest_of

ROOT = Path(__file__).parent.parent
PLAN = "scenario = 'small.toml'\nreplications = 3\nseed = 1\nover.batch_pages = [8, 64]\n"
OVER = {"batch_pages": [8, 64]}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(TEXT)
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    return file


def test_the_table_and_the_rows(rfcsim, plan: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    status, out, err = rfcsim("sweep", plan, "--to", rows)
    assert (status, err) == (0, "")
    expected = sweep(SMALL, OVER, replications=3, seed=1)
    assert pl.read_parquet(rows).equals(expected)
    printed = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    for row in sweep_table(expected).rows():
        assert [str(cell) for cell in row] in printed
    assert rfcsim("sweep", plan, "--to", rows, "--threads", "1") == (0, out, "")


def test_options_come_before_the_file(rfcsim, plan: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    options = ["--to", rows, "--replications", "2", "--seed", "5"]
    assert rfcsim("sweep", plan, *options)[0] == 0
    assert pl.read_parquet(rows).equals(sweep(SMALL, OVER, replications=2, seed=5))
    status, _, err = rfcsim("sweep", plan, "--to", rows)
    assert status == 2
    assert err == (
        f"rfcsim: error: {rows}: has rows of another sweep, seed = 5 there and 1 here; they are "
        "kept, must be another file (or fresh)\n"
    )
    assert rfcsim("sweep", plan, "--to", rows, "--fresh")[0] == 0
    assert pl.read_parquet(rows).equals(sweep(SMALL, OVER, replications=3, seed=1))


def test_the_help_has_a_file_that_can_be_run(rfcsim, tmp_path: Path) -> None:
    _, out, _ = rfcsim("sweep", "--help")
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith("scenario ="))
    last = next(i for i, line in enumerate(lines) if line.strip().startswith("Arguments"))
    file = tmp_path / "plan.toml"
    file.write_text("\n".join(lines[first:last]))
    status, table, err = rfcsim("sweep", file, "--replications", "1")
    assert (status, err) == (0, "")
    assert "2.6.36" in table
    assert "RFC" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.toml"], "missing.toml: No such file or directory"),
        (["PLAN", "--replications", "0"], "replications = 0: must be 1 to 100000"),
        (["PLAN", "--threads", "0"], "threads = 0: must be 1 to 100000"),
        (["PLAN", "--to", "/"], "/: is a folder, must be a file"),
        (["PLAN", "--to", "/nowhere/rows.parquet"], "/nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_line(rfcsim, plan: Path, arguments, message: str) -> None:
    given = [str(plan) if argument == "PLAN" else argument for argument in arguments]
    assert rfcsim("sweep", *given) == (2, "", f"rfcsim: error: {message}\n")


def test_an_interrupt_says_how_to_go_on(interruptible, plan: Path, tmp_path: Path) -> None:
    longer = TEXT.replace("repeats = 20", "repeats = 20_000")  # tens of milliseconds a run
    (tmp_path / "small.toml").write_text(longer)
    rows = tmp_path / "rows.parquet"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rfcsim", "sweep", str(plan), "--to", str(rows)]
    running = subprocess.Popen(
        [*command, "--replications", "10000"], cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    parts = f"{rows.name}.parts/*.parquet"
    while not list(tmp_path.glob(parts)) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    drawn = rest_of(ours)
    out, _ = running.communicate()
    os.close(ours)
    assert running.returncode == cli.INTERRUPTED
    assert out == b""
    assert b"Traceback" not in drawn
    said = re.search(rb"rfcsim: the rows of (\d+) of 20000 runs are safe in (.*), and the", drawn)
    assert said is not None
    assert said[2].decode() == f"{rows}.parts"
    parts = pl.read_parquet(f"{rows}.parts/*.parquet")
    assert int(said[1]) == parts.select("point", "replication").n_unique() > 0
    assert not rows.exists()
