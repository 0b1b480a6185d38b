"""Read TOML, and say in one line what is wrong with it."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from rfcsim.errors import RfcsimError, ScenarioError


def read_text(file: str | os.PathLike[str], error: type[RfcsimError] = ScenarioError) -> str:
    """The text of a file; `error` if it cannot be read."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as found:
        raise error(f"{file}: {found.strerror}") from None
    except ValueError:  # not UTF-8, or a NUL in the path
        raise error(f"{file}: not a UTF-8 text file") from None


def parse(text: str, source: str, error: type[RfcsimError] = ScenarioError) -> dict[str, Any]:
    """The table of a TOML text; `error`, with the line, if it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{source}: tables are nested too deeply") from None
    except ValueError as found:
        raise error(f"{source}: {_problem(str(found))}") from None


def _problem(message: str) -> str:
    """Put the line first: "line 3, column 5: expected ..."."""
    found = re.fullmatch(r"(.*?) \(at (.*)\)", " ".join(message.split()))
    if found is None:
        return f"not valid TOML: {message}"
    return f"{found[2]}: not valid TOML: {found[1][:1].lower()}{found[1][1:]}"
