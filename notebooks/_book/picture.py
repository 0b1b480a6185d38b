"""The picture of the README and of the book's first page: figure 1 of notebook 00, as stored.

python notebooks/_book/picture.py
"""

import base64
from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).resolve().parents[1] / "00_start_here.ipynb"
PICTURE = Path(__file__).resolve().parent / "_static" / "story.png"


def picture() -> bytes:
    """The first chart of the notebook, as a PNG."""
    notebook = nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    drawn = (output.get("data", {}).get("image/png") for output in outputs)
    return base64.b64decode(next(png for png in drawn if png))


if __name__ == "__main__":
    PICTURE.write_bytes(picture())
