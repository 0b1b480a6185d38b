"""The files of the project that the tests in this folder read."""

import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements() -> list[Requirement]:
    """Every package that pyproject.toml asks for: what is needed, each extra, and each group."""
    project = PYPROJECT["project"]
    declared = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    ]
    return [Requirement(line) for lines in declared for line in lines]


def locked() -> list[Requirement]:
    """Every line of the lock."""
    return [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def lean() -> set[str]:
    """The packages that `pip install rfcsim`, without an extra, installs, with all they need."""
    found: set[str] = set()
    wanted = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
    while wanted:
        package = wanted.pop()
        if package.marker is None or package.marker.evaluate({"extra": ""}):
            name = canonicalize_name(package.name)
            if name not in found:
                found.add(name)
                wanted += map(Requirement, requires(name) or ())
    return found
