"""Notebooks with a reader's own numbers: what changes, what is refused, and what is left behind."""

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rfcsim import cli, find_notebook, notebooks, rerun_notebook
from tests.notebooks.prose import complaints, figures
from tests.notebooks.stored import NOTEBOOKS
from tests.terminals import rest_of

PARAMETERS = """\
batch_pages = 256  # pages of one hold
share = 0.5
names = ["a", "b"]
label = "RFC"
"""
FIGURES = '{"pages": f"{2 * batch_pages} pages", "all": f"{label} {share} {names}"}'
STORED = "{'pages': '512 pages', 'all': \"RFC 0.5 ['a', 'b']\"}"
PROSE = "Two batches are 512\npages<!--=pages-->, of RFC 0.5 ['a', 'b']<!--=all-->."


def write(path: Path, *sources: str) -> Path:
    """A notebook as the project stores them; `sources` are more cells at its end."""
    output = new_output("execute_result", {"text/plain": STORED}, execution_count=2)
    cells = [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, execution_count=1),
        new_markdown_cell(PROSE),
        new_code_cell(FIGURES, outputs=[output], metadata={"tags": ["figures"]}, execution_count=2),
        *map(new_code_cell, sources),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write(tmp_path / "small.ipynb")


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_numbers_change_and_the_prose_with_them(rfcsim, small, tmp_path, monkeypatch) -> None:
    assert complaints(nbformat.read(small, as_version=4)) == []
    monkeypatch.chdir(tmp_path)
    changes = ["-p", "batch_pages=64", "-p", "share=1", "-p", 'names=["c"]', "-p", "label=mine"]
    status, out, err = rfcsim("rerun", small, *changes)
    assert (status, out, err) == (0, "small-rerun.ipynb\n", "")
    done = nbformat.read(tmp_path / out.strip(), as_version=4)
    nbformat.validate(done)
    assert figures(done) == {"pages": "128 pages", "all": "mine 1 ['c']"}
    assert complaints(done) == []
    text = "\n".join(cell.source for cell in done.cells if cell.cell_type == "markdown")
    assert "Two batches are 128 pages<!--=pages-->, of mine 1 ['c']<!--=all-->." in text
    assert "`batch_pages = 64`, `share = 1`, `names = ['c']`, `label = 'mine'`" in text
    assert str(tmp_path) not in nbformat.writes(done)

    before = (tmp_path / "small-rerun.ipynb").read_bytes()
    complaint = "small-rerun.ipynb: exists, must be new (or give --force)"
    assert rfcsim("rerun", small) == (2, "", f"rfcsim: error: {complaint}\n")
    assert (tmp_path / "small-rerun.ipynb").read_bytes() == before


def test_nothing_changed_changes_nothing(small) -> None:
    done = rerun_notebook(small)
    assert figures(done) == figures(nbformat.read(small, as_version=4))
    prose = PROSE.replace("\n", " ")
    assert [cell.source for cell in done.cells[1:]] == [PARAMETERS, prose, FIGURES]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a NOTEBOOK, or --list"),
        (["small.ipynb", "-p", "batch=64"],
         "small.ipynb: batch: unknown parameter; did you mean batch_pages?"),
        (["small.ipynb", "-p", "batch_pages=many"],
         'small.ipynb: batch_pages = "many": must be a whole number'),
        (["small.ipynb", "-p", "batch_pages=true"],
         "small.ipynb: batch_pages = true: must be a whole number"),
        (["small.ipynb", "-p", "batch_pages=2.0"],
         "small.ipynb: batch_pages = 2.0: must be a whole number"),
        (["small.ipynb", "-p", "share=half"], 'small.ipynb: share = "half": must be a number'),
        (["small.ipynb", "-p", "label=3"], "small.ipynb: label = 3: must be text"),
        (["small.ipynb", "-p", "names=a"], 'small.ipynb: names = "a": must be a list'),
        (["small.ipynb", "-p", 'names=["a", 1]'], "small.ipynb: names[1] = 1: must be text"),
        (["small.ipynb", "-p", "batch_pages"], "-p batch_pages: must be KEY=VALUE"),
        (["small.ipynb", "-o", "small.ipynb"],
         "small.ipynb: exists, must be new (or give --force)"),
        (["small.ipynb", "-o", "nowhere/x.ipynb"], "nowhere: no such folder"),
        (["nowhere.ipynb"], "nowhere.ipynb: no such notebook"),
        (["text.ipynb"], "text.ipynb: not a notebook"),
        (["01_orignal_design"],
         'notebook "01_orignal_design": there is none; did you mean 01_original_design?'),
    ],
)  # fmt: skip
def test_bad_input(rfcsim, small, tmp_path, monkeypatch, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.ipynb").write_text("# no notebook")
    before = names_in(tmp_path)
    assert rfcsim("rerun", *arguments) == (2, "", f"rfcsim: error: {message}\n")
    assert names_in(tmp_path) == before


def test_a_cell_that_fails_is_one_line(rfcsim, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "failing.ipynb", "pages = 1\npages // (batch_pages - 64)")
    before = names_in(tmp_path)
    message = 'failing.ipynb: in the cell that begins "pages = 1": ZeroDivisionError: '
    status, out, err = rfcsim("rerun", "failing.ipynb", "-p", "batch_pages=64")
    assert (status, out) == (2, "")
    assert err.startswith(f"rfcsim: error: {message}") and err.count("\n") == 1
    assert names_in(tmp_path) == before


def test_every_notebook_is_listed_and_found(rfcsim) -> None:
    listed = notebooks()
    assert set(listed["notebook"]) == {path.stem for path in NOTEBOOKS}
    for path in NOTEBOOKS:
        number, _, title = path.stem.partition("_")
        for name in (number, str(int(number)), title, path.stem, path):
            assert find_notebook(name) == path
    status, out, _ = rfcsim("rerun", "--list")
    assert status == 0
    for row in listed.rows():
        assert any(all(cell in line for cell in row) for line in out.splitlines())


def test_an_interrupt_leaves_neither_a_file_nor_a_kernel(interruptible, tmp_path) -> None:
    endless = "import os, signal\nopen('pid', 'w').write(str(os.getpid()))\nsignal.pause()"
    notebook = write(tmp_path / "endless.ipynb", endless)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    running = subprocess.Popen(
        [sys.executable, "-m", "rfcsim", "rerun", str(notebook), "-o", str(tmp_path / "out.ipynb")],
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()) and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    drawn = rest_of(ours)
    out, _ = running.communicate()
    os.close(ours)
    assert (running.returncode, out) == (cli.INTERRUPTED, b"")
    assert b"endless" in drawn, "its progress"
    assert b"Traceback" not in drawn and b"Error" not in drawn
    assert names_in(tmp_path) == {"endless.ipynb", "pid"}
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
