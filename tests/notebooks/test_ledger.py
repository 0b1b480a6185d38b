"""The ledger says what the prose says, and what can be computed gives the same figures."""

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pydantic import ValidationError

from tests.notebooks.ledger import (
    LEDGER,
    README,
    OfNotebook,
    agree,
    document_of,
    evaluate,
    load,
    put_out,
    readme,
    section,
    uncited,
    written,
)
from tests.notebooks.prose import complaints
from tests.notebooks.stored import NOTEBOOKS, read

ledger = load()
CHECKED = [key for key, figure in ledger.cited.items() if figure.check]


def documents() -> dict[str, NotebookNode]:
    return {"README": readme(README.read_text(), ledger)} | {
        document_of(path): read(path) for path in NOTEBOOKS
    }


def test_every_cited_figure_is_in_the_ledger_and_every_one_there_is_stated() -> None:
    assert uncited(documents(), ledger) == []


@pytest.mark.parametrize("key", CHECKED)
def test_a_cited_figure_is_what_the_package_has_of_it(key: str) -> None:
    figure = ledger.cited[key]
    computed = evaluate(figure.check or "", ledger.names)
    assert agree(figure.value, computed, figure.tolerance), computed


def test_the_readme_says_what_the_ledger_says() -> None:
    assert complaints(readme(README.read_text(), ledger)) == []


def test_the_figures_of_the_readme_are_what_a_run_gives() -> None:
    assert ledger.computed() == {name: figure.value for name, figure in ledger.readme.items()}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_ledger_says_what_the_cells_of_a_notebook_have_put_out(path: Path) -> None:
    """The stored output is compared with a fresh run elsewhere, and the prose with it here."""
    assert put_out(read(path)) == ledger.notebooks[path.stem]


def test_the_ledger_has_no_notebook_that_is_not_there() -> None:
    assert [*ledger.notebooks] == [path.stem for path in NOTEBOOKS]


# The checks above find what they should.

SMALL = """
[cited.batch]
value = "256 pages"
in = ["02"]
source = "the RFC"
[readme-runs]
[readme.wait]
value = "262 ms"
run = "human(262e6)"
# ------------------------------------------------ the notebooks: written
"""


def notebook(prose: str) -> NotebookNode:
    output = new_output("execute_result", data={"text/plain": "{'wait': '3 s'}"})
    tagged = {"tags": ["figures"]}
    cell = new_code_cell("figures()", id="02-01", outputs=[output], metadata=tagged)
    return new_notebook(cells=[cell, new_markdown_cell(prose)])


def test_a_small_ledger_passes() -> None:
    small = load(SMALL)
    assert uncited({"02": notebook("By 256 pages<!--cited-->.")}, small) == []
    assert complaints(readme("It took 262 ms<!--=wait-->.", small)) == []
    assert small.computed() == {"wait": "262 ms"}


@pytest.mark.parametrize(
    "prose",
    [
        "By 255 pages<!--cited-->.",
        "By 1256 pages<!--cited-->.",
        "By 256 pages<!--cited-->, and 16 pages<!--cited-->.",
        "By 256<!--cited--> pages, later 256 pages<!--cited-->.",
    ],
)
def test_a_cited_figure_that_changed_in_the_prose_is_found(prose: str) -> None:
    assert any("the ledger has no such figure" in wrong for wrong in _uncited(prose))


def _uncited(prose: str, ledger_text: str = SMALL) -> list[str]:
    return uncited({"02": notebook(prose)}, load(ledger_text))


def test_a_cited_figure_that_changed_in_the_ledger_is_found() -> None:
    changed = SMALL.replace("256 pages", "255 pages")
    stale, unknown = reversed(_uncited("By 256 pages<!--cited-->.", changed))
    assert stale == "02: does not state '255 pages' (cited.batch)"
    assert "the ledger has no such figure" in unknown


def test_a_computed_figure_that_changed_in_the_ledger_is_found() -> None:
    changed = load(SMALL.replace('"262 ms"', '"261 ms"'))
    (complaint,) = complaints(readme("It took 262 ms<!--=wait-->.", changed))
    assert "'261 ms'" in complaint
    assert changed.computed() == {"wait": "262 ms"}


@pytest.mark.parametrize(
    ("stated", "computed", "tolerance", "agreed"),
    [
        ("4 ms", "4.00 ms", 0, True),
        ("4 ms", "4.01 ms", 0, False),
        ("4 ms", "4.01 ms", 0.003, True),
        ("4 ms", "4 us", 0.5, False),
        ("15,000 a second", "15000 a second", 0, True),
        ("14 min 36 s", "14 min 37 s", 0, False),
        ("four pages", "four pages", 0, True),
        ("four pages", "three pages", 0, False),
    ],
)
def test_agreement(stated: str, computed: str, tolerance: float, agreed: bool) -> None:
    assert agree(stated, computed, tolerance) == agreed


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (('source = "the RFC"', ""), "must have either a source or be chosen"),
        (('source = "the RFC"', 'source = "the RFC"\nchosen = "by me"'), "must have either"),
        (('run = "human(262e6)"', ""), "either from a run or from a measurement"),
        (('source = "the RFC"', 'source = "the RFC"\ntolerence = 0.1'), "tolerence"),
    ],
)
def test_a_figure_from_nowhere_is_refused(change: tuple[str, str], because: str) -> None:
    with pytest.raises(ValidationError, match=because):
        load(SMALL.replace(*change))


def test_what_is_written_is_what_is_read() -> None:
    now = put_out(notebook(""))
    assert now == {"wait": OfNotebook(value="3 s", cell="02-01")}
    text = written(SMALL, {"wait": "263 ms"}, section("02_the_patch", now))
    again = load(text)
    assert again.notebooks == {"02_the_patch": now}
    assert again.readme["wait"].value == "263 ms"
    assert again.cited == load(SMALL).cited
    assert written(text, {"wait": "263 ms"}, section("02_the_patch", now)) == text


def test_the_ledger_is_as_it_would_be_written() -> None:
    sections = (section(name, figures) for name, figures in ledger.notebooks.items())
    values = {name: figure.value for name, figure in ledger.readme.items()}
    text = LEDGER.read_text()
    assert written(text, values, "".join(sections)) == text
