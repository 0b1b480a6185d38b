"""The page "Add a design in 30 lines": its edits apply, its commands run, its numbers are right.

The tests run plain Python, without Numba: to compile a changed model takes longer than to run it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import rfcsim
from tests.house.project import ROOT
from tests.notebooks.prose import complaints

PAGE = (ROOT / "notebooks" / "reference" / "add_a_design.md").read_text()
DIFFS = re.findall(r"^```diff\n--- (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^rfcsim (.*)$", PAGE, re.MULTILINE)

Run = Callable[..., subprocess.CompletedProcess[str]]


def side(hunk: str, sign: str) -> str:
    """The lines of a hunk that are in the file before (-) or after (+) the edit."""
    return "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in f" {sign}")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python in a copy of the project that has the page's edits."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("rfcsim", "data", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, hunks in DIFFS:
        text = (copy / name).read_text()
        for hunk in hunks.split("@@\n"):
            before = side(hunk, "-")
            assert text.count(before) == 1, f"{name} has {text.count(before)} times:\n{before}"
            text = text.replace(before, side(hunk, "+"))
        (copy / name).write_text(text)

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return python


def test_it_is_30_lines_at_most() -> None:
    added = [line for _, hunks in DIFFS for line in hunks.splitlines() if line[0] == "+"]
    assert 0 < len(added) <= 30


def test_a_rule_is_a_bit_of_its_own(run: Run) -> None:
    program = "from rfcsim.model.layout import rule; "
    program += "print([v for n, v in vars(rule).items() if n.isupper()])"
    rules = json.loads(run("-c", program).stdout)
    assert len(rules) > 11 and sum(rules) == 2 ** len(rules) - 1


def test_the_clock_says_what_the_page_says(run: Run) -> None:
    done = run("-m", "rfcsim", *COMMANDS[0].split(), "--json")
    assert done.returncode == 0, done.stderr
    lazy = json.loads(done.stdout)
    batched = rfcsim.simulate(rfcsim.preset("anon-1gb").replace(design="batched"))

    def shared_holds(rows: list[dict]) -> str:
        (row,) = (row for row in rows if (row["class"], row["mode"]) == ("locker", "shared"))
        return f"{row['holds']} times"

    longest_ns = max(row["max_ns"] for row in lazy["waits"] if row["class"] == "worker")
    longest = rfcsim.human(longest_ns)
    assert longest == rfcsim.human(batched.longest_wait("worker"))
    figures = {
        "lazy_holds": shared_holds(lazy["holds"]),
        "batched_holds": shared_holds(batched.holds.to_dicts()),
        "lazy_wait": longest,
    }
    output = new_output("execute_result", {"text/plain": repr(figures)})
    cells = [
        new_code_cell("computed()", outputs=[output], metadata={"tags": ["figures"]}),
        new_markdown_cell(PAGE),
    ]
    assert complaints(new_notebook(cells=cells)) == []


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_the_verdicts_are_those_of_batched(run: Run, command: str) -> None:
    done = run("-m", "rfcsim", *command.split())
    batched = rfcsim.check(rfcsim.check_scenario(command.split()[2]))
    found = dict(re.findall(r"^ ([\w-]+) +(holds|violated)", done.stdout, re.MULTILINE))
    expected = {c: "violated" if c in batched.schedules else "holds" for c in rfcsim.CLAIMS}
    assert {claim: found.get(claim) for claim in expected} == expected, done.stderr
    assert done.returncode == 1
    assert re.search(r"violated +(A\d+ B\d+ )+A\d+ B1 *$", done.stdout, re.MULTILINE)


def test_the_tests_of_the_page_pass(run: Run) -> None:
    tests = "tests/model/test_designs.py"
    options = ["-q", "-p", "no:cacheprovider", "-k", "holds_of_an_mlock"]
    done = run("-m", "pytest", *options, tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^9 passed", done.stdout, re.MULTILINE)
