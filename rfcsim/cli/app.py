"""The command itself: its name, and what happens to errors."""

import functools
import io
import os
import sys
from typing import Annotated

import typer
from typer.core import TyperArgument, TyperCommand
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


class _Command(TyperCommand):
    """A command whose help lists arguments by name, without their Python types."""

    def format_help(self, ctx, formatter) -> None:
        for parameter in self.params:
            if isinstance(parameter, TyperArgument):
                parameter.display_type_rich = lambda ctx: None
        super().format_help(ctx, formatter)


command = functools.partial(app.command, cls=_Command)


class InputError(Exception):
    """Bad input that the command itself finds, in one line."""


def main() -> None:
    """Run the command; bad input is one line on standard error and exit status 2."""
    # A closed stream is None, and print() would then write to the other one.
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
    """Keep Python from trying again, at its exit, to write what could not be written."""
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
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
