"""The package without an extra: what it can do, and one line for what it cannot."""

import os
import subprocess
import venv
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rfcsim import extras
from rfcsim.data import data_path
from tests.house.project import PYPROJECT, ROOT, lean

EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
NEEDS_PAPERMILL = "needs papermill: pip install 'rfcsim[notebooks]'"
NEEDS_ANYWIDGET = "needs anywidget: pip install 'rfcsim[notebooks]'"


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.fixture(scope="module")
def python(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose environment has the wheel, what the wheel needs, and nothing else."""
    env = tmp_path_factory.mktemp("lean") / "env"
    venv.create(env, symlinks=True)
    (packages,) = env.glob("lib/python*/site-packages")
    for part in installed.iterdir():
        (packages / part.name).symlink_to(part)
    for name in lean():
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(Path(str(found.locate_file(top))))
    return env / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [python, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_an_extra_brings_what_is_not_needed_otherwise() -> None:
    assert not {name for lines in EXTRAS.values() for name in names(lines)} & lean()
    for package, extra in extras.EXTRAS.items():
        brought = names(EXTRAS[extra])
        brought |= {name for each in brought for name in names(requires(each) or [])}
        assert package in brought - lean()


TRACE = data_path("traces", "pieces-256-same-cpu")
QUICKLY = ["--pages", "12", "--no-alone", "--repetitions", "1"]


@pytest.mark.parametrize(
    ("arguments", "status", "printed", "made"),
    [
        (["run", "--preset", "matrix-256mb", "--charts", "."], 0, "mmap_sem, shared", "holds.html"),
        (["check", "--preset", "mlock-munlock"], 1, "as-if-sequential", None),
        (["timeline", TRACE, "-o", "chart.png"], 0, "", "chart.png"),
        (["perfetto", TRACE, "-o", "trace.json"], 0, "", "trace.json"),
        (["measure", "--method", "touch", *QUICKLY], 0, "touch", "measurement.parquet"),
    ],
    ids=["run", "check", "timeline", "perfetto", "measure"],
)
def test_what_needs_no_extra_works(
    python: Path,
    tmp_path: Path,
    arguments: list[str | Path],
    status: int,
    printed: str,
    made: str | None,
) -> None:
    done, out, err = run(python, tmp_path, "-m", "rfcsim", *arguments)
    assert (done, "error" in err) == (status, False), err
    assert printed in out
    assert made is None or (tmp_path / made).stat().st_size > 0


@pytest.mark.parametrize(
    "arguments",
    [["--list"], ["00"], ["two.ipynb"], [ROOT / "notebooks" / "00_start_here.ipynb"]],
    ids=str,
)
def test_a_command_says_which_extra_it_needs(
    python: Path, tmp_path: Path, arguments: list[str | Path]
) -> None:
    done = run(python, tmp_path, "-m", "rfcsim", "rerun", *arguments)
    assert done == (2, "", f"rfcsim: error: rerun: {NEEDS_PAPERMILL}\n")


PROGRAM = """
import rfcsim

for name in rfcsim.__all__:
    getattr(rfcsim, name)
for call in (rfcsim.explorer, rfcsim.notebooks, lambda: rfcsim.rerun_notebook("00")):
    try:
        call()
    except rfcsim.RfcsimError as error:
        print(error)
print(len(rfcsim.explorer_grid(backing=["memory"], design=["batched"], lock_policy=["fifo"],
    batch_pages=[64], threads=[1]).to_dict()) > 0)
"""


def test_every_name_is_there_and_a_call_says_which_extra_it_needs(
    python: Path, tmp_path: Path
) -> None:
    status, out, err = run(python, tmp_path, "-c", PROGRAM)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"explorer: {NEEDS_ANYWIDGET}",
        f"notebooks: {NEEDS_PAPERMILL}",
        f"rerun_notebook: {NEEDS_PAPERMILL}",
        "True",
    ]


def test_what_is_installed_and_itself_lacks_something_is_no_matter_of_an_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_here.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(extras.EXTRAS, "broken_here", "notebooks")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        extras.require("test", "broken_here")
