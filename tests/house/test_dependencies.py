"""pyproject.toml, the lock and environment.yml ask for the same packages."""

import re
from importlib.metadata import requires
from platform import python_version
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec, PackageRecord
from rattler.package import BuildString

from tests.house.project import PYPROJECT, ROOT, locked, requirements


def conda_environment() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def conda_packages() -> list[str]:
    return [line for line in conda_environment()["dependencies"] if isinstance(line, str)]


def pip_packages() -> list[str]:
    """What the conda environment has pip install, the project last."""
    return conda_environment()["dependencies"][-1]["pip"]


def ranges(packages: list[Requirement]) -> dict[str, SpecifierSet]:
    return {canonicalize_name(package.name): package.specifier for package in packages}


def applies(package: Requirement) -> bool:
    return package.marker is None or package.marker.evaluate({"extra": ""})


def pins() -> dict[str, str]:
    """Package -> the version that the lock installs here."""
    here = ranges([package for package in locked() if applies(package)])
    return {name: str(specifier).removeprefix("==") for name, specifier in here.items()}


def test_conda_environment_asks_for_the_same_packages() -> None:
    """Also under the same names: conda-forge uses PyPI's, except for case, "-" and "_"."""
    wanted = ranges(requirements())
    python = SpecifierSet(PYPROJECT["project"]["requires-python"])
    lines = [*conda_packages(), *pip_packages()[:-1]]
    asked = ranges([Requirement(line) for line in lines])
    assert len(asked) == len(lines)
    assert asked == wanted | {"python": python, "pip": SpecifierSet()}


def test_conda_environment_installs_the_project_itself() -> None:
    assert pip_packages()[-1] == "--editable=."


@pytest.mark.parametrize("line", conda_packages())
def test_conda_reads_the_ranges_as_pip_does(line: str) -> None:
    """According to conda's own parser, the locked version is in the range, and version 0 is not."""
    spec, name = MatchSpec(line), Requirement(line).name
    version = {"python": python_version(), "pip": "26"}.get(name) or pins()[canonicalize_name(name)]

    def has(version: str) -> bool:
        # Any build will do: a range in environment.yml names none.
        build = {"build": BuildString("py_0"), "build_number": 0, "subdir": "noarch"}
        return spec.matches(PackageRecord(name, version, **build))

    assert has(version)
    assert has("0") == (name == "pip")


@pytest.mark.parametrize("name", ["numba", "llvmlite"])
def test_what_is_used_in_private_has_an_upper_bound(name: str) -> None:
    """The locked version is tried; the next minor one may have moved what rfcsim reaches into."""
    (bound,) = (each for each in ranges(requirements())[name] if each.operator == "<")
    major, minor, *_ = Version(pins()[name]).release
    assert Version(bound.version).release == (major, minor + 1)


@pytest.mark.parametrize("name", ["jupyterlab", "numba", "numpy", "altair", "nbval"])
def test_what_the_notebooks_stand_on_is_always_installed(name: str) -> None:
    """By the lock, on every platform and Python, and so by `make`; and by the conda environment."""
    markers = [package.marker for package in locked() if canonicalize_name(package.name) == name]
    assert markers == [None]
    assert name in ranges([Requirement(line) for line in conda_packages()])


def test_lock_is_of_everything() -> None:
    """`make lock` resolves every extra and group, `make` installs what it found."""
    makefile = (ROOT / "Makefile").read_text()
    (command,) = re.findall(r"uv pip compile pyproject\.toml((?:.*\\\n)+.*)", makefile)
    assert "--all-extras" in command
    assert set(re.findall(r"--group (\w+)", command)) == set(PYPROJECT["dependency-groups"])
    assert "uv pip sync --quiet --python $(python) requirements.lock" in makefile


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


def test_binder_installs_the_lock_and_the_project() -> None:
    """What repo2docker reads; if there is a folder .binder/, it reads nothing else."""
    binder = ROOT / ".binder"
    assert {path.name for path in binder.iterdir()} == {"requirements.txt", "runtime.txt"}
    lock, project = (binder / "requirements.txt").read_text().splitlines()
    assert (binder / lock.removeprefix("-r ")).resolve() == ROOT / "requirements.lock"
    assert project == "-e ."
    version = (binder / "runtime.txt").read_text().removeprefix("python-").strip()
    assert f"{version}.99" in SpecifierSet(PYPROJECT["project"]["requires-python"])
