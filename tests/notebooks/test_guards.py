"""What nbval does not check: a notebook is stored executed, clean, and readable everywhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import vl_convert
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks.stored import NOTEBOOKS, read

VEGA_LITE = "application/vnd.vegalite.v5+json"
OLDEST_VEGA_LITE = "5.8"  # the oldest to compile for; JupyterLab draws with 5.6
HOME_OF_FILES = re.compile(
    r"(?<![\w.])(?:/(?:home|Users|root|usr|var|opt|mnt|srv|tmp|work)/|[A-Z]:\\)\S*"
)

CUT_OFF = re.compile(r"<tr>(?:<td>&hellip;</td>)+</tr>")  # as Polars shows a long frame


def complaints(notebook: NotebookNode) -> list[str]:
    """What is wrong with a stored notebook, one line each; [] if nothing is."""
    found = [f"metadata: {key}" for key in ("widgets",) if key in notebook.metadata]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        wrong = [*_cell_complaints(cell, count), *map(_output_complaint, cell.outputs)]
        found += [f"code cell {count}: {why}" for why in wrong if why]
    return found


def _cell_complaints(cell: NotebookNode, count: int) -> Iterator[str]:
    if cell.execution_count != count:
        yield f"execution count {cell.execution_count}"
    if "execution" in cell.metadata:
        yield "the time of its execution is stored"


def _output_complaint(output: NotebookNode) -> str | None:
    if output.output_type == "error":
        return f"an error: {output.ename}"
    data = output.get("data", {})
    text = output.get("text", "") + "".join(
        value for kind, value in data.items() if kind.startswith("text/")
    )
    if path := HOME_OF_FILES.search(text):
        return f"a path of one machine: {path[0]}"
    if CUT_OFF.search(text):
        return "a table without its middle rows"
    if any("vegalite" in kind for kind in data):
        return _chart_complaint(data)
    return None


def _chart_complaint(data: NotebookNode) -> str | None:
    if VEGA_LITE not in data:
        return f"a chart that JupyterLab cannot draw: {sorted(data)}"
    if "image/png" not in data:
        return "a chart without the picture that GitHub shows"
    chart = data[VEGA_LITE]
    if not chart.get("description"):
        return "a chart without a description, its alternative text"
    try:
        vl_convert.vegalite_to_vega(chart, vl_version=OLDEST_VEGA_LITE)
    except ValueError as error:
        return f"a chart that Vega-Lite {OLDEST_VEGA_LITE} cannot compile: {error}"
    return None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebook_is_sound(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert complaints(notebook) == []


CHART = {
    "description": "A dot.",
    "data": {"values": [{"x": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}


def sound_notebook() -> NotebookNode:
    chart = new_output(
        "execute_result",
        data={VEGA_LITE: CHART, "image/png": "iVBORw0KGgo=", "text/plain": "<Chart>"},
        execution_count=2,
    )
    text = new_output("stream", text="reads /proc/PID/maps\n")
    return new_notebook(
        cells=[
            new_code_cell("print()", execution_count=1, outputs=[text]),
            new_code_cell("chart", execution_count=2, outputs=[chart]),
        ]
    )


def test_sound_notebook_passes() -> None:
    assert complaints(sound_notebook()) == []


def _set_count(notebook: NotebookNode) -> None:
    notebook.cells[1].execution_count = 3


def _strip(notebook: NotebookNode) -> None:
    notebook.cells[0].update(execution_count=None, outputs=[])


def _time(notebook: NotebookNode) -> None:
    notebook.cells[0].metadata.execution = {"iopub.status.idle": "2026-01-01T00:00:00Z"}


def _widgets(notebook: NotebookNode) -> None:
    notebook.metadata.widgets = {}


def _error(notebook: NotebookNode) -> None:
    notebook.cells[0].outputs.append(new_output("error", ename="KeyError", evalue="'wait'"))


def _path(notebook: NotebookNode) -> None:
    notebook.cells[0].outputs[0].text = "saved /home/someone/chart.svg"


def _rows(notebook: NotebookNode) -> None:
    table = "<table><tr><td>1</td></tr><tr><td>&hellip;</td></tr><tr><td>9</td></tr></table>"
    notebook.cells[1].outputs[0].data["text/html"] = table


def _picture(notebook: NotebookNode) -> None:
    del notebook.cells[1].outputs[0].data["image/png"]


def _description(notebook: NotebookNode) -> None:
    del notebook.cells[1].outputs[0].data[VEGA_LITE]["description"]


def _mark(notebook: NotebookNode) -> None:
    notebook.cells[1].outputs[0].data[VEGA_LITE]["mark"] = "no such mark"


def _kind(notebook: NotebookNode) -> None:
    data = notebook.cells[1].outputs[0].data
    data["application/vnd.vegalite.v6.json"] = data.pop(VEGA_LITE)


@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        (_set_count, "execution count 3"),
        (_strip, "execution count None"),
        (_time, "the time of its execution"),
        (_widgets, "metadata: widgets"),
        (_error, "an error: KeyError"),
        (_rows, "a table without its middle rows"),
        (_path, "a path of one machine"),
        (_picture, "without the picture"),
        (_description, "without a description"),
        (_mark, "cannot compile"),
        (_kind, "JupyterLab cannot draw"),
    ],
)
def test_spoilt_notebook_is_found(spoil, because: str) -> None:
    notebook = sound_notebook()
    spoil(notebook)
    (complaint,) = complaints(notebook)
    assert because in complaint
