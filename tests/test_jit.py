"""The cache of compiled code: no stale code, no trouble for two processes, no need to write."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rfcsim

PACKAGE = Path(rfcsim.__file__).parent

# Takes the lock shared, and shows the first columns of mmap_sem: which counts the readers is
# a constant of rfcsim.model.layout, in another module than the function that is compiled.
PROGRAM = """
from rfcsim._jit import cache_folder
from rfcsim.model.rwsem import down
from rfcsim.model.state import new_state

state = new_state(1, 1, 1)
down(state, 0, 1)
hits = sum(down.stats.cache_hits.values())
print(list(map(int, state.sem[:4])), hits, cache_folder())
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package that a test may edit."""
    shutil.copytree(PACKAGE, tmp_path / "rfcsim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(checkout: Path, **environment: str) -> tuple[str, int, str]:
    """What PROGRAM prints: the columns of mmap_sem, hits of the cache, its folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=checkout,
        env=os.environ
        | {"PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": str(checkout / "cache")}
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    sem, rest = done.stdout.strip().split("] ")
    hits, folder = rest.split(" ", 1)
    return sem + "]", int(hits), folder


def test_a_second_process_loads_what_the_first_compiled(checkout: Path) -> None:
    assert run(checkout)[:2] == ("[1, 0, 0, 0]", 0)
    assert run(checkout)[:2] == ("[1, 0, 0, 0]", 1)


def test_an_edit_in_another_module_is_seen(checkout: Path) -> None:
    before = run(checkout)
    layout = checkout / "rfcsim" / "model" / "layout" / "sem.py"
    text = layout.read_text()
    swapped = text.replace("READERS = 0", "READERS = 1").replace("WRITER = 1", "WRITER = 0")
    assert swapped != text
    layout.write_text(swapped)
    after = run(checkout)
    assert after[:2] == ("[0, 1, 0, 0]", 0)
    assert after[2] != before[2]


def test_two_processes_may_compile_at_once(checkout: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: run(checkout), range(2)))
    assert [sem for sem, _, _ in together] == ["[1, 0, 0, 0]"] * 2
    assert run(checkout)[1] == 1, "what they left behind can be loaded"


def test_where_nothing_can_be_written_code_is_compiled_anew(checkout: Path) -> None:
    blocker = checkout / "a-file"
    blocker.touch()  # no folder can be made below a file, not even by the superuser
    sem, hits, folder = run(checkout, NUMBA_CACHE_DIR=str(blocker))
    assert (sem, hits, folder) == ("[1, 0, 0, 0]", 0, "None")


def test_a_cache_that_was_cut_off_is_no_trouble(checkout: Path) -> None:
    _, _, folder = run(checkout)
    for file in Path(folder).iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert run(checkout)[0] == "[1, 0, 0, 0]"


def test_old_fingerprints_are_removed(checkout: Path) -> None:
    root = checkout / "cache" / "rfcsim"
    for age in range(12):
        old = root / f"old-{age:02}"
        old.mkdir(parents=True)
        os.utime(old, (1_000_000 - age, 1_000_000 - age))
    run(checkout)
    kept = sorted(path.name for path in root.iterdir())
    assert len(kept) == 8 and kept[1:] == [f"old-{age:02}" for age in range(7)]
