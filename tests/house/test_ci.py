"""The workflows, the hooks of a commit and CONTRIBUTING.md do what the Makefile does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output
from packaging.specifiers import SpecifierSet

from tests import quick
from tests.house.project import PYPROJECT, ROOT

WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())
EXAMPLE: dict[Any, Any] = yaml.safe_load((ROOT / "examples/notebooks.yml").read_text())
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PATIENT = """
def pytest_collection_modifyitems(items):
    for item in items:
        item.output_timeout = 3600
"""


def targets() -> list[str]:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    return phony[1].split()


def recipe(target: str) -> str:
    """What make would do, once it is set up."""
    command = ["make", "--dry-run", "--old-file=.venv/ready", "--no-print-directory", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def pythons() -> list[str]:
    """The versions that the package says it is for."""
    found = [
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line)
        for line in PYPROJECT["project"]["classifiers"]
    ]
    return [match[1] for match in found if match]


# --- our own ------------------------------------------------------------------------------------


def test_the_versions_of_python_are_those_that_are_supported() -> None:
    supported = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert all(f"{version}.99" in supported for version in pythons())
    before = int(pythons()[0].partition(".")[2]) - 1
    assert f"3.{before}.99" not in supported, "the oldest is among them"
    jobs = WORKFLOW["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == pythons()
    assert jobs["test"]["container"] == "python:${{ matrix.python }}-bookworm"
    assert jobs["quick"]["container"] == f"python:{pythons()[0]}-bookworm"


def test_it_runs_what_the_readme_says() -> None:
    """On every change, by make alone."""
    assert set(WORKFLOW[True]) == {"push", "pull_request"}  # YAML 1.1 reads "on" as true
    jobs = {name: commands(job) for name, job in WORKFLOW["jobs"].items()}
    assert jobs == {"quick": ["make quick", "make lint"], "test": ["make notebooks", "make test"]}
    assert {command.split()[1] for lines in jobs.values() for command in lines} <= set(targets())
    told = re.findall(r"^    (make \w+)  ", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert told == jobs["test"]


def test_make_test_compares_the_notebooks() -> None:
    (line,) = (line for line in recipe("test").replace("\\\n", "").splitlines() if "pytest" in line)
    words = shlex.split(line)
    assert "--nbval" in words and words[-2:] == ["notebooks", "tests"]


def test_make_quick_runs_what_is_listed() -> None:
    assert "$(.venv/bin/python -m tests.quick)" in recipe("quick")
    listed = subprocess.run(
        [sys.executable, "-m", "tests.quick"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ignored = [f"--ignore={name}" for name in quick.LEFT_OUT]
    assert listed.stdout.split() == [*quick.QUICK, *ignored]
    for name in [*quick.QUICK, *quick.LEFT_OUT]:
        assert (ROOT / name).exists(), name
        assert not name.startswith(("tests/spin", "tests/browser", "tests/notebooks")), name
    for name in quick.LEFT_OUT:
        assert any(name.startswith(f"{folder}/") for folder in quick.QUICK), name


# --- before a commit ------------------------------------------------------------------------------


def test_the_hooks_are_those_of_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (local,) = config["repos"]
    assert local["repo"] == "local", "no other tool than ours is fetched"
    linted = recipe("lint")
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        tool = hook["entry"].removesuffix(" --force-exclude")
        assert tool in linted, hook["id"]


def test_a_hook_takes_the_files_of_a_commit() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    for hook in config["repos"][0]["hooks"]:
        if hook.get("pass_filenames", True):
            tool = shlex.split(hook["entry"].removeprefix(".venv/bin/python "))
            command = [sys.executable, *tool, "rfcsim/errors.py", "rfcsim/__init__.pyi"]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


# --- for others to copy -------------------------------------------------------------------------


def test_the_example_installs_what_there_is() -> None:
    (job,) = EXAMPLE["jobs"].values()
    (python,) = (step["with"]["python-version"] for step in job["steps"] if "with" in step)
    assert python in pythons()
    install, _ = commands(job)
    (package,) = shlex.split(install)[4:]
    assert install.startswith("python -m pip install ")
    extra = re.fullmatch(r"rfcsim\[(\w+)\]", package)
    assert extra is not None
    assert extra[1] in PYPROJECT["project"]["optional-dependencies"]


@pytest.mark.parametrize("stored", ["'1.00 ms'", "'2.00 ms'"])
def test_the_example_finds_an_output_that_is_not_the_stored_one(
    tmp_path: Path, stored: str
) -> None:
    source = "import rfcsim\nrfcsim.human(1_000_000)"
    output = new_output("execute_result", {"text/plain": stored}, execution_count=1)
    notebook = new_notebook(cells=[new_code_cell(source, outputs=[output], execution_count=1)])
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "mine.ipynb")
    (job,) = EXAMPLE["jobs"].values()
    _, check = commands(job)
    # However busy the machine is, as in our own conftest.
    (tmp_path / "conftest.py").write_text(PATIENT)
    command = [sys.executable, *shlex.split(check)[1:], "--nbval-kernel-startup-timeout=3600"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == (0 if stored == "'1.00 ms'" else 1), done.stdout
    assert ("1 passed" in done.stdout) == (stored == "'1.00 ms'"), done.stdout


# --- what it says to those who contribute --------------------------------------------------------


def test_what_contributors_are_told_is_there() -> None:
    told = set(re.findall(r"\bmake ([a-z]+)\b", CONTRIBUTING))
    assert {"quick", "lint", "test", "execute", "numbers", "notebooks", "lock"} <= told
    assert told <= set(targets())
    for name in re.findall(r"\]\(([^):#]+)\)", CONTRIBUTING):
        assert (ROOT / name).exists(), name
    named = re.findall(r"`([\w./]+(?:/|\.py|\.pyi|\.yml|\.toml|\.md))`", CONTRIBUTING)
    for name in set(named) - {".venv/", "build/quick/", "build/site/"}:
        assert (ROOT / name).exists(), name
    packages = {f"rfcsim/{init.parent.name}/" for init in (ROOT / "rfcsim").glob("*/__init__.py")}
    assert packages <= set(named), "where something goes"
