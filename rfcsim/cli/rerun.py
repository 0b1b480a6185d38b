"""The command that executes a notebook again: rerun."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rfcsim.cli.app import InputError, command
from rfcsim.cli.arguments import Force, assignment
from rfcsim.cli.files import check_output, write_new
from rfcsim.cli.terminal import print_table
from rfcsim.extras import require


@command()
def rerun(
    notebook: Annotated[
        str | None, typer.Argument(metavar="NOTEBOOK", help="Its number, name or path.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="Change a parameter."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.ipynb", help="Default: NOTEBOOK-rerun.ipynb."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the notebooks and their parameters.")
    ] = False,
    force: Force = False,
) -> None:
    """Execute a notebook with your numbers, as a new notebook."""
    require("rerun", "papermill", "ipykernel")
    import nbformat

    import rfcsim

    if list_:
        print_table(rfcsim.notebooks())
        return
    if notebook is None:
        raise InputError("give a NOTEBOOK, or --list")
    source = rfcsim.find_notebook(notebook)
    output = output or Path(f"{source.stem}-rerun.ipynb")
    check_output(output, force)
    changes = dict(assignment(text, "-p") for text in parameters or [])
    done = rfcsim.rerun_notebook(source, changes, progress=sys.stderr.isatty())
    write_new(output, nbformat.writes(done).encode())
    print(output)
