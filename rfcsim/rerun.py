"""Run the notebooks again, with a reader's own numbers in place of their parameters."""

import ast
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ConfigDict, TypeAdapter, ValidationError

from rfcsim.errors import NotebookError
from rfcsim.extras import require
from rfcsim.scenario.explain import did_you_mean, explain, show

if TYPE_CHECKING:
    from nbformat import NotebookNode

# The notebooks lie beside the package in a checkout. An installed package has none: they find data/
# by their own place in the project, and with their stored charts they are larger than the rest.
_NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NUMBERED = "[0-9][0-9]_*.ipynb"
START_S = 3600  # how long a kernel may take to start; on a busy machine it takes long
_ELSEWHERE = "the notebooks are in a checkout of the project, not in the installed package"


def notebooks() -> pl.DataFrame:
    """List the notebooks of the project, and what can be changed in each.

    Returns
    -------
    polars.DataFrame
        One row per parameter: ``notebook``, ``parameter``, ``default`` (as Python writes it) and
        ``meaning`` (the comment after it).

    Raises
    ------
    RfcsimError
        One line: there are no notebooks, or what has to be installed.
    """
    require("notebooks", "papermill")
    import papermill

    known = sorted(_NOTEBOOKS.glob(_NUMBERED))
    if not known:
        raise NotebookError(f"notebooks: there are none here; {_ELSEWHERE}")
    rows = [
        (path.stem, found["name"], found["default"], found["help"])
        for path in known
        for found in papermill.inspect_notebook(_read(path)).values()
    ]
    return pl.DataFrame(
        rows,
        schema=dict.fromkeys(("notebook", "parameter", "default", "meaning"), pl.String),
        orient="row",
    )


def find_notebook(name: str | os.PathLike[str]) -> Path:
    """Find a notebook by its number, its name or its path.

    Parameters
    ----------
    name : str or path
        ``"02"``, ``"the_patch"``, ``"02_the_patch"``, or the path of any .ipynb file.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    NotebookError
        If there is no such notebook.
    """
    path = Path(name)
    if path.suffix == ".ipynb":
        if not path.is_file():
            raise NotebookError(f"{path}: {'is no file' if path.exists() else 'no such notebook'}")
        return path
    wanted = str(name)
    known = sorted(_NOTEBOOKS.glob(_NUMBERED))
    if not known:
        raise NotebookError(f"notebook {show(wanted)}: {_ELSEWHERE}; give the path of one")
    for found in known:
        number, _, title = found.stem.partition("_")
        if wanted in (found.stem, title) or wanted.zfill(2) == number:
            return found
    names = [found.stem for found in known]
    raise NotebookError(f"notebook {show(wanted)}: there is none; {did_you_mean(wanted, names)}")


def rerun_notebook(
    notebook: str | os.PathLike[str],
    parameters: Mapping[str, Any] | None = None,
    *,
    progress: bool = False,
) -> "NotebookNode":
    """Execute a notebook with some of its parameters changed; no file is written.

    Where a number in the prose comes from the run, and so is followed by ``<!--=NAME-->``, it
    becomes the number of this run. The words around it stay, and a note at the top says so.

    Parameters
    ----------
    notebook : str or path
        As for `find_notebook`; the notebook runs in its own folder.
    parameters : mapping of str to Any, optional
        New values of variables in its cell with the tag ``parameters``, each of the type of its
        default.
    progress : bool
        Draw a bar on standard error.

    Returns
    -------
    nbformat.NotebookNode
        The executed notebook, for `nbformat.write`.

    Raises
    ------
    NotebookError
        One line: the parameter, its value and what is allowed; or the cell that failed, and how.
    RfcsimError
        One line: what has to be installed.
    """
    require("rerun_notebook", "papermill", "ipykernel")
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    path = find_notebook(notebook)
    original = _read(path)
    values = dict(parameters or {})
    _check(path, values, original)
    bar: Any = {"desc": path.stem, "leave": False} if progress else False
    with tempfile.TemporaryDirectory() as sockets:  # where nobody else on the machine can listen
        kernel = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        try:
            # No output path: papermill writes after every cell, and would leave half a notebook.
            done = papermill.execute_notebook(
                original,
                None,
                values,
                progress_bar=bar,
                cwd=path.parent,
                record_timing=False,
                start_timeout=START_S,
                config=Config({"KernelManager": kernel}),
                extra_arguments=["--log-level=CRITICAL"],
            )
        except KeyboardInterrupt:
            # The cell that ran finds its kernel dead; asyncio would report that at exit.
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            raise
        except PapermillExecutionError as error:
            begins = error.source.strip().partition("\n")[0]
            where = f"{path.name}: in the cell that begins {show(begins)}"
            raise NotebookError(f"{where}: {error.ename}: {error.evalue}") from None
    done.metadata.papermill["input_path"] = path.name  # not the whole path
    _renew_prose(original, done)
    done.cells.insert(0, nbformat.v4.new_markdown_cell(_note(path, values)))
    return done


def _read(path: Path) -> "NotebookNode":
    """Read a notebook, and make it one for this Python, whatever kernel it names."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotebookError(f"{path}: {error.strerror}") from None
    except (ValueError, AttributeError, nbformat.ValidationError):
        raise NotebookError(f"{path}: not a notebook") from None
    notebook.metadata.kernelspec = _KERNEL
    return notebook


def _check(path: Path, values: Mapping[str, Any], notebook: "NotebookNode") -> None:
    """Refuse a parameter that the notebook does not have, or a value of another type."""
    import papermill

    known = papermill.inspect_notebook(notebook)
    for name, value in values.items():
        if name not in known:
            end = did_you_mean(name, known)
            raise NotebookError(f"{path.name}: {name}: unknown parameter; {end}")
        wanted = _type(_literal(known[name]["default"]))
        try:
            TypeAdapter(wanted, config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            raise NotebookError(f"{path.name}: {name}{explain(error, {})}") from None


def _literal(text: str) -> Any:
    """The value of a text that is a literal, or None if it is another expression."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _type(default: Any) -> Any:
    if default is None:
        return Any
    if not isinstance(default, list | tuple):
        return type(default)
    types = {type(each) for each in default}
    return list[_type(default[0])] if len(types) == 1 else list


def _renew_prose(before: "NotebookNode", after: "NotebookNode") -> None:
    """Replace the values of the stored run in the prose by those of this run."""
    old, new = _figures(before), _figures(after)
    for cell in after.cells:
        if cell.cell_type == "markdown":
            cell.source = renewed(cell.source, old, new)


def renewed(prose: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Replace old values by new ones in prose, where `<!--=NAME-->` follows them.

    Parameters
    ----------
    prose : str
        Markdown text.
    old, new : mapping of str to str
        Name -> value; a name that is not in both is left alone.

    Returns
    -------
    str
    """
    for name in old.keys() & new.keys():
        written = r"\s+".join(map(re.escape, old[name].split()))
        marked = re.compile(rf"{written}(?=<!--={re.escape(name)}-->)")
        prose = marked.sub(lambda _, value=new[name]: value, prose)
    return prose


def _figures(notebook: "NotebookNode") -> dict[str, str]:
    """The output of the cells with the tag `figures`, each a dict of strings, in one dict."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()) if "figures" in cell.metadata.get("tags", ()) else ():
            values = _literal(output.get("data", {}).get("text/plain", ""))
            if isinstance(values, dict):
                found |= values
    return found


def _note(path: Path, values: Mapping[str, Any]) -> str:
    changed = ", ".join(f"`{name} = {value!r}`" for name, value in values.items())
    return (
        f"> A rerun of `{path.name}` with {changed or 'nothing changed'}. The figures, and the "
        "numbers in the prose\n> that come from the run, are those of this rerun; the words around "
        "them are the original's."
    )
