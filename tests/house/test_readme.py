"""The README: its numbers are what a run gives, its examples run, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import rfcsim
from tests.house.project import ROOT
from tests.notebooks.prose import complaints

README = (ROOT / "README.md").read_text()
DATA = ROOT / "data"


def real_trace() -> tuple[int, int]:
    """The median hold of a piece and the longest wait of the other thread, in ns."""
    trace = rfcsim.read_trace(DATA / "traces" / "pieces-256-other-cpu.txt")
    intervals = rfcsim.lock_intervals(trace).with_columns(
        length_ns=pl.col("end_ns") - pl.col("start_ns")
    )
    victim = pl.col("class") == "victim"
    pieces = intervals.filter(~victim, state="holding")["length_ns"].sort()
    waits = intervals.filter(victim, state="waiting")["length_ns"].sort()
    return pieces[len(pieces) // 2], waits[-1]


@pytest.fixture(scope="module")
def figures() -> dict[str, str]:
    memory, disk = rfcsim.preset("anon-1gb"), rfcsim.preset("cold-file-1gb")
    before = rfcsim.simulate(memory)
    after = rfcsim.simulate(memory.replace(design="batched", batch_pages=256))
    on_disk = rfcsim.simulate(disk.replace(design="batched", batch_pages=256))
    ps = rfcsim.simulate(rfcsim.preset("ps-20gb"))
    longer = after.longest_call("locker", "mlock") / before.longest_call("locker", "mlock") - 1
    piece_ns, wait_ns = real_trace()
    populate = [
        rfcsim.simulate(rfcsim.call_site("mmap-populate", kernel, mapper=mapper))
        for kernel, mapper in (("2.6.36", False), ("3.9", False), ("3.9", True))
    ]
    filled, afterwards, beside = (run.longest_wait("worker") for run in populate)
    assert afterwards == 0, "the fault no longer waits"
    return {
        "worker_before": rfcsim.human(before.longest_wait("worker")),
        "worker_after": rfcsim.human(after.longest_wait("worker")),
        "longer": f"{100 * longer:.0f} %",
        "ps_wait": rfcsim.human(ps.longest_wait("ps")),
        "memory_wait": rfcsim.human(after.longest_wait("allocator")),
        "disk_wait": rfcsim.human(on_disk.longest_wait("allocator")),
        "real_piece": rfcsim.human(piece_ns),
        "real_wait": rfcsim.human(wait_ns),
        "populate_before": rfcsim.human(filled),
        "populate_beside": rfcsim.human(beside),
    }


def test_the_numbers_are_what_a_run_gives(figures: dict[str, str]) -> None:
    output = new_output("execute_result", {"text/plain": repr(figures)})
    cells = [
        new_code_cell("computed()", outputs=[output], metadata={"tags": ["figures"]}),
        new_markdown_cell(README),
    ]
    assert complaints(new_notebook(cells=cells)) == []


def test_the_table_is_what_the_command_prints() -> None:
    (shown,) = re.findall(r"^```\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-m", "rfcsim", "run", "--preset", "anon-1gb"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "`.venv/bin/rfcsim run --preset anon-1gb`" in README
    assert [line.rstrip() for line in printed.splitlines() if line.strip()] == shown.splitlines()


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
