"""The prose of the notebooks says what the run gives, and the check of that works."""

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.prose import complaints
from tests.notebooks.stored import NOTEBOOKS, read


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_prose_says_what_the_run_gives(path: Path) -> None:
    assert complaints(read(path)) == []


def notebook(prose: str, stored: str | None = "{'ps_wait': '14 min 36 s'}") -> NotebookNode:
    cells = [new_markdown_cell(prose)]
    if stored is not None:
        output = new_output("execute_result", data={"text/plain": stored}, execution_count=1)
        tagged = {"tags": ["figures"]}
        cells.append(new_code_cell("figures(result)", outputs=[output], metadata=tagged))
    return new_notebook(cells=cells)


def test_a_result_that_changed_under_the_same_prose_is_found() -> None:
    prose = "ps waited **14 min 36 s**<!--=ps_wait-->."
    assert complaints(notebook(prose)) == []
    (complaint,) = complaints(notebook(prose, "{'ps_wait': '14 min 35 s'}"))
    assert "'14 min 35 s'" in complaint


@pytest.mark.parametrize(
    "prose",
    [
        "It waited 14 min\n36 s<!--=ps_wait--> (a wrapped line).",
        "It waited 14\u00a0min 36\u202fs<!--=ps_wait--> (no-break spaces).",
        "# The 14 min 36 s<!--=ps_wait--> incident",
        "| who | wait |\n|---|---|\n| ps | 14 min 36 s<!--=ps_wait--> |",
        "<details><summary>Answer</summary>14 min 36 s<!--=ps_wait--></details>",
        "14 min 36 s<!--=ps_wait-->, and 128 KiB<!--cited--> of readahead, 256 pages<!--cited-->.",
        "14 min 36 s<!--=ps_wait-->; `20 GB`, $t < 3 s$, mm/mlock.c 2.6.36, in 2010, step 3.",
        "14 min 36 s<!--=ps_wait-->\n\n```\nafter 3 s\n```",
        "14 min 36 s<!--=ps_wait--> in [the report](reports/20-GB.txt)",
    ],
)
def test_sound_prose_passes(prose: str) -> None:
    assert complaints(notebook(prose)) == []


@pytest.mark.parametrize(
    ("prose", "because"),
    [
        ("It waited long.", "'ps_wait' is nowhere in the prose"),
        ("114 min 36 s<!--=ps_wait-->", "stands behind"),
        ("2-14 min 36 s<!--=ps_wait-->", "stands behind"),
        ("14 min 36 s<!--=ps_wait--> 3<!--=other-->", "<!--=other--> names no value"),
        ("14 min 36 s<!--=ps_wait--> 3<!-- cited -->", "is no marker"),
        ("```{note}\n14 min 36 s<!--=ps_wait-->, 20 GB\n```", "'20 GB' has neither"),
    ],
)
def test_a_wrong_marker_is_found(prose: str, because: str) -> None:
    (complaint,) = complaints(notebook(prose))
    assert because in complaint


@pytest.mark.parametrize(
    "quantity",
    [
        "7 ns",
        "1.5 µs",
        "12 us",
        "0.2 ms",
        "14 min 36 s",
        "876 seconds",
        "2 h",
        "20 GB",
        "4 KiB",
        "128-KiB",
        "256 pages",
        "256-page",
        "1 page",
        "100 MB/s",
        "55 mmap/s",
        "15,000 mmap/s",
        "55 mmap() calls a second",
        "120 reads per second",
        "3.5 GHz",
        "12%",
        "0.98 ×",
        "37 times",
        "5s",
    ],
)
def test_a_quantity_without_its_source_is_found(quantity: str) -> None:
    (complaint,) = complaints(notebook(f"It took {quantity}, so they say.", None))
    assert repr(quantity) in complaint
    assert complaints(notebook(f"It took {quantity}<!--cited-->, so they say.", None)) == []


@pytest.mark.parametrize(
    "stored", ["[1, 2]", "{'ps_wait': 876}", "<Figures>", "{'ps_wait': 'figures(result)'}"]
)
def test_a_figures_cell_that_gives_no_computed_text_is_found(stored: str) -> None:
    (complaint,) = complaints(notebook("Nothing.", stored))
    assert "figures" in complaint
