"""The command: what it prints, and that bad input is one line, status 2, and nothing written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from rfcsim import blame, blame_summary, blame_table
from rfcsim.data import data_path
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.scenario import Scenario
from tests.runs.examples import SMALL, TEXT

ROOT = Path(__file__).parent.parent


@pytest.fixture
def small(tmp_path: Path) -> str:
    file = tmp_path / "small.toml"
    file.write_text(TEXT)
    return str(file)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_table_of_a_scenario(rfcsim, small) -> None:
    status, out, err = rfcsim("run", small)
    assert (status, err) == (0, "")
    printed = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    table = simulate(SMALL).table()
    assert table.columns in printed
    for row in table.rows():
        assert [str(cell) for cell in row] in printed


def test_changes_on_the_command_line(rfcsim, small) -> None:
    arguments = ["--design", "batched", "--batch-pages", "7", "--set", "tasks.victim.count=5"]
    status, out, _ = rfcsim("run", small, "--json", "--seed", "3", *arguments)
    found = json.loads(out)
    changed = SMALL.replace(design="batched", batch_pages=7, **{"tasks.victim.count": 5})
    assert status == 0
    assert Scenario(**found["scenario"]) == changed
    result = simulate(changed, seed=3)
    assert found["waits"] == result.waits.to_dicts()
    assert found["elapsed_ns"] == result.elapsed_ns


def test_set_reads_toml_values_and_bare_words(rfcsim, small) -> None:
    settings = ["tasks.victim.think=", "design=batched", 'costs="hdd-2010"', "cap_ipc_lock=true"]
    _, out, _ = rfcsim("run", small, "--json", *(f"--set={text}" for text in settings[1:]))
    found = json.loads(out)["scenario"]
    assert (found["design"], found["costs"], found["cap_ipc_lock"]) == ("batched", "hdd-2010", True)
    status, _, err = rfcsim("run", small, "--set", settings[0])
    assert (status, err) == (
        2,
        "rfcsim: error: tasks[1].think: unknown key; known are name, "
        "count, calls, repeats, start_ns, start, cpu, realtime\n",
    )


def test_replications_have_margins(rfcsim, small) -> None:
    status, out, _ = rfcsim("run", small, "--replications", "3")
    assert status == 0
    assert "+-" in out
    _, out, _ = rfcsim("run", small, "--replications", "3", "--json")
    assert {row["replications"] for row in json.loads(out)["summary"]} == {3}


def test_help_is_printed_when_nothing_is_asked(rfcsim) -> None:
    asked = rfcsim("--help")
    assert asked[0] == 0
    assert "presets" in asked[1]
    assert rfcsim() == asked


def test_lists(rfcsim) -> None:
    for command, name in (("presets", "ps-20gb"), ("costs", "hdd-2010")):
        status, out, err = rfcsim(command)
        assert (status, err) == (0, "")
        assert name in [line.split("  ")[0] for line in out.splitlines()]
    _, out, _ = rfcsim("costs", "hdd-2010")
    assert "disk_seek" in out


def test_a_printed_scenario_can_be_run(rfcsim, tmp_path) -> None:
    _, out, _ = rfcsim("scenario", "--preset", "anon-1gb")
    file = tmp_path / "mine.toml"
    file.write_text(out)
    status, table, _ = rfcsim("run", file)
    assert status == 0
    assert table == rfcsim("run", "--preset", "anon-1gb")[1]


def test_charts_and_trace_are_written(rfcsim, small, tmp_path) -> None:
    trace = tmp_path / "trace.parquet"
    folder = tmp_path / "deep" / "charts"
    status, _, err = rfcsim("run", small, "--charts", folder, "--trace", trace)
    assert (status, err) == (0, "")
    assert files_below(folder) == {"timeline.html", "survival.html", "holds.html"}
    assert pl.read_parquet(trace).equals(simulate(SMALL, trace=10**6).trace)

    before = trace.read_bytes()
    status, _, err = rfcsim("run", small, "--trace", trace)
    assert (status, err) == (2, f"rfcsim: error: {trace}: exists, must be new (or give --force)\n")
    assert trace.read_bytes() == before
    assert rfcsim("run", small, "--seed", "1", "--trace", trace, "--force")[0] == 0
    assert trace.read_bytes() != before


def test_who_is_to_blame(rfcsim, small, tmp_path) -> None:
    folder = tmp_path / "charts"
    status, out, err = rfcsim("run", small, "--blame", "--charts", folder)
    assert (status, err) == (0, "")
    parts = blame(simulate(SMALL, trace=10**6).trace)
    printed = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    for table in (simulate(SMALL).table(), blame_table(parts)):
        assert table.columns in printed
        for row in table.rows():
            assert [str(cell) for cell in row] in printed
    assert files_below(folder) == {
        "timeline.html",
        "survival.html",
        "holds.html",
        "blame.html",
        "blame_summary.html",
    }
    _, out, _ = rfcsim("run", small, "--blame", "--json")
    assert json.loads(out)["blame"] == blame_summary(parts).to_dicts()
    _, out, _ = rfcsim("run", small, "--json")
    assert "blame" not in json.loads(out)


def test_nobody_is_to_blame_where_nobody_waited(rfcsim, small) -> None:
    status, out, err = rfcsim("run", small, "--blame", "--set", "tasks.victim.start_ns=10_000_000")
    assert (status, err) == (0, "")
    assert "Nobody waited." in out.splitlines()


def test_a_full_trace_says_so(rfcsim, small, tmp_path) -> None:
    file = tmp_path / "trace.parquet"
    status, _, err = rfcsim("run", small, "--trace", file, "--trace-events", "10")
    events = len(simulate(SMALL, trace=10**6).trace)
    assert status == 0
    assert err == f"rfcsim: note: the trace is full: the first 10 of {events} events\n"
    assert len(pl.read_parquet(file)) == 10


def test_a_timeline_of_a_real_kernel(rfcsim, tmp_path) -> None:
    trace = data_path("traces", "mlock-whole-other-cpu")
    chart = tmp_path / "chart.html"
    assert rfcsim("timeline", trace, "-o", chart) == (0, "", "")
    assert chart.read_text().startswith("<!DOCTYPE html>")

    status, out, err = rfcsim("timeline", trace, "-o", chart, "--blame", "--force")
    assert (status, err) == (0, "")
    assert "held by probe3" in out
    assert "what waits are due to" in chart.read_text()

    cut = tmp_path / "cut.txt"
    cut.write_text(trace.read_text()[:-300])
    status, _, err = rfcsim("timeline", cut, "-o", tmp_path / "other.html")
    assert status == 2
    assert err.startswith(f"rfcsim: error: {cut}, line ")
    assert len(err.splitlines()) == 1
    assert files_below(tmp_path) == {"chart.html", "cut.txt"}


# The arguments and the whole line after "rfcsim: error: "; SMALL stands for a scenario file.
BAD_INPUT = [
    (["run"], "give either a SCENARIO.toml or --preset NAME"),
    (
        ["run", "SMALL", "--preset", "ps-20gb"],
        "give either a SCENARIO.toml or --preset NAME",
    ),
    (["run", "missing.toml"], "missing.toml: No such file or directory"),
    (["run", "/"], "/: Is a directory"),
    (["run", "--preset", "ps-2gb"], 'preset "ps-2gb": there is none; did you mean ps-20gb?'),
    (
        ["run", "SMALL", "--design", "fair"],
        'design = "fair": must be "downgrade", "exclusive", "batched", "contended", '
        '"fault-retry", "mm-populate" or "vma-lock"',
    ),
    (["run", "SMALL", "--batch-pages", "0"], "batch_pages = 0: must be 1 or more"),
    (["run", "SMALL", "--seed", "-1"], "seed = -1: must be 0 to 9223372036854775807"),
    (["run", "SMALL", "--replications", "0"], "replications = 0: must be 1 to 100000"),
    (["run", "SMALL", "--set", "cpus"], "--set cpus: must be KEY=VALUE"),
    (["run", "SMALL", "--set", "=3"], "--set =3: must be KEY=VALUE"),
    (["run", "SMALL", "--set", "cpu=3"], "cpu: unknown key; did you mean cpus?"),
    (["run", "SMALL", "--set", "cpus=many"], 'cpus = "many": must be a whole number'),
    (["run", "SMALL", "--set", "cpus=1\ncpus=2"], None),
    (["run", "SMALL", "--set", "costs=hdd"], None),
    (["run", "SMALL", "--set", "costs=missing.toml"], None),
    (
        ["run", "SMALL", "--trace", "x.parquet", "--replications", "2"],
        "--trace: cannot be used with --replications",
    ),
    (
        ["run", "SMALL", "--blame", "--replications", "2"],
        "--blame: cannot be used with --replications",
    ),
    (["run", "SMALL", "--trace", "missing/x.parquet"], "missing: no such folder"),
    (["run", "SMALL", "--trace", "/"], "/: is a folder, must be a file"),
    (["run", "SMALL", "--charts", "small.toml"], "small.toml: is no folder"),
    (["run", "SMALL", "--charts", "new/charts", "--design", "fair"], None),
    (["run", "SMALL", "--trace", "x.parquet", "--trace-events", "-1"], None),
    (["run", "SMALL", "--sed", "3"], None),
    (["run", "SMALL", "--seed", "three"], None),
    (["rum"], None),
    (["costs", "hdd"], None),
    (["scenario"], "give either a SCENARIO.toml or --preset NAME"),
    (["timeline", "SMALL", "-o", "x.html"], None),
    (["timeline", "missing.txt", "-o", "x.html"], None),
    (["timeline", "missing.txt"], None),
    (["timeline", "TRACE", "-o", "x.pdf"], None),
    (["perfetto", "SMALL", "-o", "x.json"], None),
    (["perfetto", "TRACE", "-o", "missing/x.json"], "missing: no such folder"),
    (["record", "-o", "x.txt"], "record: either a command or a pid must be given"),
    (["record", "-o", "x.txt", "--pid", "1", "true"], None),
    (["record", "-o", "x.txt", "--seconds", "0", "true"], "seconds = 0.0: must be more than 0"),
    (["measure", "--pages", "0"], "pages = 0: must be 1 or more"),
    (["measure", "--piece-pages", "0"], "piece_pages = 0: must be 1 or more"),
    (["measure", "--pause-us", "-1", "--piece-pages", "9"], "pause_us = -1.0: must be 0.0 or more"),
    (["measure", "--method", "lock"], None),
    (["measure", "--placement", "near"], 'placement = "near": must be "same" or "other"'),
    (["measure", "--repetitions", "0"], "repetitions = 0: must be 1 to 10000"),
    (["measure", "--pages", str(2**31)], None),
    (["measure", "-o", "missing/x.parquet"], "missing: no such folder"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT)
def test_bad_input(rfcsim, small, tmp_path, monkeypatch, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    before = files_below(tmp_path)
    names = {"SMALL": small, "TRACE": str(data_path("traces", "mlock-whole-other-cpu"))}
    status, out, err = rfcsim(*(names.get(word, word) for word in arguments))
    assert (status, out) == (2, "")
    assert err.startswith("rfcsim: error: ")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    if message is not None:
        assert err == f"rfcsim: error: {message}\n"
    assert files_below(tmp_path) == before


def test_help_imports_nothing_that_takes_time() -> None:
    heavy = "{'numba', 'numpy', 'polars', 'pydantic', 'scipy', 'altair'}"
    code = f"import sys, rfcsim.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("force", [["--force"], []])
def test_what_is_no_regular_file_stays(rfcsim, small, tmp_path, force) -> None:
    pipe = tmp_path / "pipe.parquet"
    os.mkfifo(pipe)
    status, out, err = rfcsim("run", small, "--trace", pipe, *force)
    assert (status, out) == (2, "")
    assert err == f"rfcsim: error: {pipe}: is no regular file, must be one\n"
    assert pipe.is_fifo()


def test_what_a_link_leads_to_is_written(rfcsim, small, tmp_path) -> None:
    (tmp_path / "there").mkdir()
    link, trace = tmp_path / "link", tmp_path / "there" / "trace.parquet"
    link.symlink_to("missing/trace.parquet")
    status, out, err = rfcsim("run", small, "--trace", link)
    assert (status, out) == (2, "")
    assert err == f"rfcsim: error: {tmp_path / 'missing'}: no such folder\n"
    link.unlink()
    link.symlink_to("there/trace.parquet")
    assert rfcsim("run", small, "--trace", link)[0] == 0
    assert link.is_symlink() and len(pl.read_parquet(trace))
    assert rfcsim("run", small, "--trace", link)[0] == 2
