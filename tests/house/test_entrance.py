"""The ways in: make, CI, and the metadata of the package."""

import os
import re
import subprocess
from importlib.metadata import entry_points

import yaml

from tests.house.project import PYPROJECT, ROOT


def test_ci_is_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = script.read_text().splitlines()[1:]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_make_help_names_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    command = ["make", "--silent", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make (\w+)", listed, re.MULTILINE) == phony[1].split()


def test_entry_points_lead_somewhere() -> None:
    groups = PYPROJECT["project"]["entry-points"] | {
        "console_scripts": PYPROJECT["project"]["scripts"]
    }
    for group, names in groups.items():
        for name in names:
            (entry,) = entry_points(group=group, name=name)
            assert callable(entry.load())


def test_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PYPROJECT["project"]["version"]
    assert citation["license"] == PYPROJECT["project"]["license"]
