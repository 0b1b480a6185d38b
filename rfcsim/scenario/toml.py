"""Read TOML, and say in one line what is wrong with it."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from rfcsim.errors import ScenarioError


def read_text(file: str | os.PathLike[str]) -> str:
    """The text of a file; ScenarioError if it cannot be read."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror}") from None
    except ValueError:  # not UTF-8, or a NUL in the path
        raise ScenarioError(f"{file}: not a UTF-8 text file") from None


def parse(text: str, source: str) -> dict[str, Any]:
    """The table of a TOML text; ScenarioError, with the line, if it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(f"{source}: tables are nested too deeply") from None
    except ValueError as error:
        raise ScenarioError(f"{source}: {_problem(str(error))}") from None


def _problem(message: str) -> str:
    """Put the line first: "line 3, column 5: expected ..."."""
    found = re.fullmatch(r"(.*?) \(at (.*)\)", " ".join(message.split()))
    if found is None:
        return f"not valid TOML: {message}"
    return f"{found[2]}: not valid TOML: {found[1][:1].lower()}{found[1][1:]}"
