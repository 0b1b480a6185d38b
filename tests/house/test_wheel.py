"""A package installed from the wheel finds its data without the checkout."""

import os
import subprocess
import sys
from pathlib import Path

from tests.house.project import ROOT


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_the_package_and_its_data(installed: Path) -> None:
    data = {f"_data/{name}" for name in files(ROOT / "data")}
    assert data
    assert files(installed / "rfcsim") == files(ROOT / "rfcsim") | data
    assert (installed / "rfcsim" / "py.typed").exists()


def test_installed_package_finds_its_data(installed: Path, tmp_path: Path) -> None:
    program = """
import rfcsim, rfcsim.data
print(rfcsim.__file__)
for kind in ("costs", "measurements", "presets", "traces"):
    for name in rfcsim.data.data_names(kind):
        print(rfcsim.data.data_path(kind, name))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    module, *paths = map(Path, run.stdout.splitlines())
    assert module == installed / "rfcsim" / "__init__.py"
    assert len(paths) >= 4
    for path in paths:
        assert path.is_relative_to(installed / "rfcsim" / "_data")
