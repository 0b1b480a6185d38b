"""The files of the project that the tests in this folder read."""

import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements() -> list[Requirement]:
    """Every package that pyproject.toml asks for: what is imported, and each group."""
    declared = [PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"].values()]
    return [Requirement(line) for lines in declared for line in lines]


def locked() -> list[Requirement]:
    """Every line of the lock."""
    return [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]
