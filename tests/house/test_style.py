"""Style, types and layers, checked by the tools that know them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import ROOT

LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def layers(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_imports_go_downwards_only() -> None:
    linted = layers(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("model/layout.py", "import rfcsim.clock.layout", "Imports go downwards only"),
        ("newcomer.py", "", "Imports go downwards only"),
        ("model/layout.py", "import polars", "import NumPy and Numba only"),
        ("scenario/scenario.py", "import altair", "Altair is for the charts"),
        ("charts/theme.py", "import rfcsim.runs.result", "Charts know the event frame"),
        ("runs/simulate.py", "import rfcsim.orders.check", "Imports go downwards only"),
        ("orders/check.py", "import rfcsim.runs.simulate", "Imports go downwards only"),
        ("runs/simulate.py", "import rfcsim.studies.matrix", "Imports go downwards only"),
        ("scenario/compile.py", "import rfcsim.runs.simulate", "Imports go downwards only"),
        ("race/search.py", "import rfcsim.clock.engine", "Imports go downwards only"),
        ("live/record.py", "import rfcsim.model.layout", "knows nothing of the model"),
        ("cli/runs.py", "import rfcsim.runs.result", "the public face only"),
    ],
)
def test_an_import_against_the_layers_is_found(
    tmp_path: Path, module: str, statement: str, contract: str
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "rfcsim", tmp_path / "rfcsim")
    with (tmp_path / "rfcsim" / module).open("a") as source:
        source.write(f"\n{statement}\n")
    linted = layers(tmp_path)
    assert linted.returncode == 1
    broken = [line for line in linted.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), linted.stdout


def test_style() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "."]
    ruff = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ruff.returncode == 0, ruff.stdout + ruff.stderr
