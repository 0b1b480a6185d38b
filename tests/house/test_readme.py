"""The README: its examples run, its links lead somewhere, its numbers are in the ledger."""

import re
import subprocess
import sys
from pathlib import Path

import rfcsim
from notebooks._book.picture import picture
from tests.house.project import ROOT

README = (ROOT / "README.md").read_text()
DATA = ROOT / "data"
SEED = 1  # as in the notebooks, so that both say the same
SHOWN = f"rfcsim run --preset anon-1gb --seed {SEED}"


def test_a_fault_does_not_wait_for_a_populate_of_3_9() -> None:
    run = rfcsim.simulate(rfcsim.call_site("mmap-populate", "3.9", mapper=False))
    assert run.longest_wait("worker") == 0


def test_the_table_is_what_the_command_prints() -> None:
    (shown,) = re.findall(r"^```\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-m", "rfcsim", *SHOWN.split()[1:]]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"`.venv/bin/{SHOWN}`" in README
    assert [line.rstrip() for line in printed.splitlines() if line.strip()] == shown.splitlines()


def test_the_picture_is_the_first_of_the_notebooks() -> None:
    """`python notebooks/_book/picture.py` takes it from notebook 00."""
    (shown,) = re.findall(r"^!\[[^\]]{100,}\]\((.*)\)$", README, re.MULTILINE)
    stored = (ROOT / shown).read_bytes()
    assert stored == picture()
    assert len(stored) < 100_000


def test_the_python_example_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    exec(example, names)
    result = names["result"]
    assert isinstance(result, rfcsim.Result)
    assert "worker" in result.table()["class"]


def test_links_and_named_folders_exist() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", README)
    folders = set(re.findall(r"`([\w./]+/)`", README)) - {".venv/"}
    assert links and folders
    for name in [*links, *folders]:
        assert (ROOT / name).exists(), name


def test_the_page_of_the_data_names_every_file() -> None:
    text = (DATA / "README.md").read_text()
    for folder in filter(Path.is_dir, DATA.iterdir()):
        _, _, section = text.partition(f"\n## {folder.name}/: ")
        assert section, folder
        for file in folder.iterdir() if folder.name != "checks" else ():
            assert f"`{file.stem}`" in section or f"`{file.name}`" in section, file
