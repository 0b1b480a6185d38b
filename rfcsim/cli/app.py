"""The command itself: what it is called, and what becomes of errors."""

import io
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

BAD_INPUT = 2
BROKEN_PIPE = 1
INTERRUPTED = 130
app = typer.Typer(
    name="rfcsim",
    help="Who waits for mmap_sem while mlock() runs: a simulator.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class InputError(Exception):
    """Bad input that the command itself finds; one line."""


def main() -> None:
    """Run the command; bad input is one line on standard error and exit status 2."""
    # A stream that is closed is None, and print() would write to the other one.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    sys.exit(_run())


def _run() -> int:
    try:
        status = app(prog_name="rfcsim", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except TyperException as error:
        return _complain(error.format_message())
    except BrokenPipeError:
        _give_up_stdout()
        return BROKEN_PIPE
    except OSError as error:
        _give_up_stdout()
        return _complain(f"{error.filename or 'standard output'}: {error.strerror}")
    except InputError as error:
        return _complain(str(error))
    except ValueError as error:
        import rfcsim

        if not isinstance(error, rfcsim.RfcsimError):
            raise
        return _complain(str(error))
    return status or 0


def _complain(message: str) -> int:
    print("rfcsim: error:", " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _give_up_stdout() -> None:
    """Let nothing try once more to write what could not be written, when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _print_version(wanted: bool) -> None:
    if wanted:
        import rfcsim

        print(f"rfcsim {rfcsim.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="The version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
