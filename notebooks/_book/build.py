"""Build the book: executed notebooks and the reference pages become pages that need no network.

python notebooks/_book/build.py build/notebooks build/site
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
import vl_convert
from frames import as_table  # beside this file
from sphinx.cmd.build import build_main

from rfcsim.charts import theme
from rfcsim.charts.renderer import VEGA_LITE

BOOK = Path(__file__).resolve().parent
PROJECT = BOOK.parent.parent


def assemble(notebooks: Path, source: Path) -> None:
    """Lay out the parts of the book as they are in the project, so that links hold."""
    shutil.copytree(BOOK, source, ignore=shutil.ignore_patterns("__pycache__", "build.py", "*.js"))
    shutil.copytree(PROJECT / "notebooks" / "reference", source / "notebooks" / "reference")
    shutil.copytree(PROJECT / "data", source / "data")
    for path in sorted(notebooks.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        tidy(notebook)
        nbformat.write(notebook, source / "notebooks" / path.name)
    drawing = f"const DARK = {json.dumps(theme.DARK)};\n" + (BOOK / "charts.js").read_text()
    script = vl_convert.javascript_bundle(drawing, vl_version=VEGA_LITE)
    # In a function of its own the script leaves no names behind, and works in a page opened as a
    # file.
    (source / "_static" / "charts.js").write_text(f"(function(){{{script}}})();")


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Fold away the cells that compute the numbers in the text, and turn frames into tables."""
    for cell in notebook.cells:
        if "figures" in cell.metadata.get("tags", ()):
            cell.metadata.tags.append("hide-cell")
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "text/html" in data:
                data["text/html"] = as_table(data["text/html"])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("notebooks", type=Path, help="folder of the executed notebooks")
    parser.add_argument("site", type=Path, help="folder to write the pages to")
    parser.add_argument("--strict", action="store_true", help="a warning is an error")
    arguments = parser.parse_args()
    if not any(arguments.notebooks.glob("*.ipynb")):
        print(f"no executed notebooks in {arguments.notebooks}: run `make notebooks`")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        source, pages = Path(folder, "book"), Path(folder, "pages")
        assemble(arguments.notebooks, source)
        strict = ["--fail-on-warning"] if arguments.strict else []
        doctrees = ["-d", f"{folder}/doctrees"]
        status = build_main(["--quiet", *strict, *doctrees, str(source), str(pages)])
        if status == 0:
            shutil.rmtree(arguments.site, ignore_errors=True)
            shutil.copytree(pages, arguments.site)
            print(f"The pages are at {(arguments.site / 'index.html').resolve()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
