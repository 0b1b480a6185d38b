"""data/ledger.toml: every figure that the README and the notebooks state, and its source.

As a program (`make numbers`), it computes the figures again and writes them into the ledger and the
prose. The figures of a notebook's cells are taken from its stored outputs.
"""

import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pydantic import BaseModel, ConfigDict, Field, model_validator

import rfcsim
import rfcsim.lab.runs
import rfcsim.race.problem
from rfcsim.rerun import renewed
from tests.notebooks.prose import citations, figures
from tests.notebooks.stored import NOTEBOOKS, read

ROOT = Path(__file__).parents[2]
LEDGER = ROOT / "data" / "ledger.toml"
README = ROOT / "README.md"
BEGIN_OF_NOTEBOOKS = "# ------------------------------------------------ the notebooks:"
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
IN_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Cited(BaseModel, frozen=True, extra="forbid"):
    """A figure that does not come from the run."""

    value: str
    documents: list[str] = Field(alias="in", min_length=1)
    source: str | None = None
    chosen: str | None = None
    check: str | None = None
    tolerance: float = Field(default=0, ge=0, lt=1)

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> "Cited":
        if (self.source is None) == (self.chosen is None):
            raise ValueError("must have either a source or be chosen")
        return self


class OfReadme(BaseModel, frozen=True, extra="forbid"):
    """A figure of the README that is computed."""

    value: str
    run: str | None = None
    measurement: str | None = None

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> "OfReadme":
        if (self.run is None) == (self.measurement is None):
            raise ValueError("must come either from a run or from a measurement")
        return self


class OfNotebook(BaseModel, frozen=True, extra="forbid"):
    """A figure in the output of a notebook's cell."""

    value: str
    cell: str


class Ledger(BaseModel):
    """The ledger as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    cited: dict[str, Cited]
    readme_runs: dict[str, str] = Field(alias="readme-runs")
    readme: dict[str, OfReadme]
    notebooks: dict[str, dict[str, OfNotebook]] = {}

    @cached_property
    def names(self) -> dict[str, Any]:
        """The names that its expressions may use."""
        known = {
            "rfcsim": rfcsim,
            "human": rfcsim.human,
            "pl": pl,
            "data": LEDGER.parent,
            "default": default,
            "in_words": IN_WORDS,
        }
        return known | {name: evaluate(run, known) for name, run in self.readme_runs.items()}

    def computed(self) -> dict[str, str]:
        """The figures of the README, from their runs and measurements."""
        return {
            name: evaluate(figure.run or figure.measurement or "", self.names)
            for name, figure in self.readme.items()
        }


def load(text: str | None = None) -> Ledger:
    """Read the ledger, or another file in its place."""
    return Ledger.model_validate(tomllib.loads(LEDGER.read_text() if text is None else text))


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    return eval(f"({expression.strip()})", dict(names))


def default(of: Callable[..., Any], parameter: str) -> Any:
    """The default of a parameter of a public function, or of a field of a scenario."""
    return inspect.signature(of).parameters[parameter].default


def document_of(path: Path) -> str:
    """The ledger's name for a document: README, or the number of a notebook."""
    return path.stem.partition("_")[0]


def readme(text: str, ledger: Ledger) -> NotebookNode:
    """The README as a notebook whose only cell puts out the figures that the ledger has for it."""
    values = {name: figure.value for name, figure in ledger.readme.items()}
    output = new_output("execute_result", {"text/plain": repr(values)})
    cell = new_code_cell("computed()", outputs=[output], metadata={"tags": ["figures"]})
    return new_notebook(cells=[cell, new_markdown_cell(text)])


def put_out(notebook: NotebookNode) -> dict[str, OfNotebook]:
    """The figures in the outputs of a notebook's cells, in their order."""
    found = {}
    for cell in notebook.cells:
        values = figures(new_notebook(cells=[cell]))
        found |= {name: OfNotebook(value=value, cell=cell.id) for name, value in values.items()}
    return found


def uncited(documents: Mapping[str, NotebookNode], ledger: Ledger) -> list[str]:
    """What is cited but not in the ledger, or in the ledger but not cited; one line each.

    Parameters
    ----------
    documents : mapping of str to NotebookNode
        All documents that the ledger covers, under its names for them.
    """
    wrong = []
    stated: set[tuple[str, str]] = set()
    for name, document in documents.items():
        known = {key for key, figure in ledger.cited.items() if name in figure.documents}
        for before in citations(document):
            keys = [key for key in known if ends_with(before, ledger.cited[key].value)]
            stated |= {(key, name) for key in keys}
            if not keys:
                wrong.append(f"{name}: {before[-40:]!r} is cited; the ledger has no such figure")
    for key, figure in ledger.cited.items():
        wrong += [
            f"{name}: does not state {figure.value!r} (cited.{key})"
            for name in figure.documents
            if (key, name) not in stated
        ]
    return wrong


def ends_with(text: str, value: str) -> bool:
    """Whether a text ends with a figure, not with a longer one; it may begin a sentence."""
    return re.search(rf"(?<![\w.,-]){re.escape(value)}$", text, re.IGNORECASE) is not None


def agree(stated: str, computed: str | float, tolerance: float = 0) -> bool:
    """Whether two figures have the same words, and numbers that differ by no more than allowed."""
    computed = str(computed)
    if NUMBER.sub("#", stated) != NUMBER.sub("#", computed):
        return False
    pairs = zip(NUMBER.findall(stated), NUMBER.findall(computed), strict=True)
    return all(
        abs(float(a.replace(",", "")) - float(b.replace(",", "")))
        <= tolerance * float(a.replace(",", ""))
        for a, b in pairs
    )


def written(ledger_text: str, readme_values: Mapping[str, str], notebooks: str) -> str:
    """The ledger with the current figures; what is written by hand stays as it is."""
    by_hand, begin, _ = ledger_text.partition(BEGIN_OF_NOTEBOOKS)
    title = begin + ledger_text[len(by_hand) + len(begin) :].partition("\n")[0] + "\n"
    for name, value in readme_values.items():
        line = re.compile(rf'(^\[readme\.{re.escape(name)}\]\nvalue = )".*"$', re.MULTILINE)
        by_hand = line.sub(lambda found, value=value: f'{found[1]}"{value}"', by_hand)
    return by_hand + title + notebooks


def section(notebook: str, figures: Mapping[str, OfNotebook]) -> str:
    """The ledger's table for a notebook."""
    lines = [
        f'{name} = {{ value = "{figure.value}", cell = "{figure.cell}" }}'
        for name, figure in figures.items()
    ]
    return "\n".join(["", f"[notebooks.{notebook}]", *lines, ""])


def main() -> int:
    ledger = load()
    values = ledger.computed()
    sections = []
    for path in NOTEBOOKS:
        notebook = read(path)
        now = put_out(notebook)
        sections.append(section(path.stem, now))
        old = {name: each.value for name, each in ledger.notebooks.get(path.stem, {}).items()}
        new = {name: each.value for name, each in now.items()}
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = renewed(cell.source, old, new)
        if notebook != read(path):
            nbformat.write(notebook, path)
            print(f"{path.name}: its prose has changed; do the words around the numbers still fit?")
    LEDGER.write_text(written(LEDGER.read_text(), values, "".join(sections)))
    old = {name: figure.value for name, figure in ledger.readme.items()}
    README.write_text(renewed(README.read_text(), old, values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
