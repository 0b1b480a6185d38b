"""pyproject.toml, the lock and environment.yml ask for the same packages."""

from importlib.metadata import requires
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec, PackageRecord
from rattler.package import BuildString

from tests.house.project import PYPROJECT, ROOT, locked, requirements

# PyPI's name -> conda's, where they differ by more than case, "-" and "_".
CONDA_NAMES: dict[str, str] = {}


def conda_environment() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def conda_packages() -> list[str]:
    return [line for line in conda_environment()["dependencies"] if isinstance(line, str)]


def ranges(packages: list[Requirement]) -> dict[str, SpecifierSet]:
    return {canonicalize_name(package.name): package.specifier for package in packages}


def applies(package: Requirement) -> bool:
    return package.marker is None or package.marker.evaluate({"extra": ""})


def pins() -> dict[str, str]:
    """Package -> the version that the lock installs here."""
    here = ranges([package for package in locked() if applies(package)])
    return {name: str(specifier).removeprefix("==") for name, specifier in here.items()}


def test_conda_environment_asks_for_the_same_packages() -> None:
    wanted = {
        canonicalize_name(CONDA_NAMES.get(name, name)): specifier
        for name, specifier in ranges(requirements()).items()
    }
    python = SpecifierSet(PYPROJECT["project"]["requires-python"])
    asked = ranges([Requirement(line) for line in conda_packages()])
    assert asked == wanted | {"python": python, "pip": SpecifierSet()}


def test_conda_environment_installs_the_project_itself() -> None:
    assert conda_environment()["dependencies"][-1] == {"pip": ["--editable=."]}


@pytest.mark.parametrize("line", conda_packages())
def test_conda_reads_the_ranges_as_pip_does(line: str) -> None:
    """By conda's own parser: the locked version lies in the range, version 0 below it."""
    name = canonicalize_name(Requirement(line).name)
    version = {"python": PYPROJECT["project"]["requires-python"].removeprefix(">="), "pip": "26.0"}
    allowed = MatchSpec(line)

    def matches(version: str) -> bool:
        build = BuildString("py_0")
        return allowed.matches(
            PackageRecord(
                str(allowed.name.normalized), version, build, build_number=0, subdir="noarch"
            )
        )

    assert matches(version.get(name) or pins()[name])
    assert matches("0") == (name == "pip")


def test_lock_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith(("-", "#"))]


def test_lock_pins_every_package_once_per_platform() -> None:
    for package in locked():
        (specifier,) = package.specifier
        assert specifier.operator == "==", package
        assert "*" not in specifier.version, package


@pytest.mark.parametrize("package", requirements(), ids=lambda package: package.name)
def test_lock_is_within_the_ranges(package: Requirement) -> None:
    assert pins()[canonicalize_name(package.name)] in package.specifier


def test_lock_holds_what_its_packages_need() -> None:
    missing = {
        f"{name} needs {needed}"
        for name in pins()
        for needed in map(Requirement, requires(name) or ())
        if applies(needed) and canonicalize_name(needed.name) not in pins()
    }
    assert missing == set()
