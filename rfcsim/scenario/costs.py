"""Cost tables: how long each piece of work takes, and where the figure comes from."""

import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rfcsim.clock.layout import cost
from rfcsim.data import data_names, data_path
from rfcsim.errors import CostTableError
from rfcsim.model.layout import work

# Row of a table -> its index in the clock's array of costs.
COST_ROWS: dict[str, int] = {
    **{f"{name}_ns": number for number, name in enumerate(work.NAMES) if number != work.NS},
    "lock_ns": cost.LOCK,
    "wake_up_ns": cost.WAKE_UP,
    "switch_ns": cost.SWITCH,
    "timeslice_ns": cost.TIMESLICE,
    "disk_request_ns": cost.DISK_REQUEST,
    "disk_seek_ns": cost.DISK_SEEK,
    "disk_page_ns": cost.DISK_PAGE,
    "disk_depth": cost.DISK_DEPTH,
    "tick_ns": cost.TICK,
}

MOST_NS = 10**12  # 1000 s; a cost of 8 million pages still fits int64
ALLOWED = {  # row -> least, most; for every other row 0 to MOST_NS
    "disk_depth": (1, 65_536),  # the longest queue that NVMe allows
    "timeslice_ns": (1, MOST_NS),  # so that a thread that runs makes progress
    "tick_ns": (1, MOST_NS),
}

Status = Literal["measured", "published", "derived", "estimate"]
Text = Annotated[str, Field(min_length=1)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class Cost(BaseModel):
    """One figure of a cost table.

    Parameters
    ----------
    value : int
        Nanoseconds per unit of work; `disk_depth` is a count.
    status : "measured", "published", "derived" or "estimate"
        How far to trust it: a derived figure is computed from published or measured ones, an
        estimate has no source that states it.
    source : str
        Where it comes from, precisely enough to look it up.
    """

    model_config = _STRICT

    value: Annotated[int, Field(ge=0, le=MOST_NS)]
    status: Status
    source: Text


class CostTable(BaseModel):
    """How long each piece of work takes on one machine.

    Parameters
    ----------
    name, era, description : str
    costs : dict of str to Cost
        Exactly the rows of COST_ROWS.

    Raises
    ------
    pydantic.ValidationError
        If a row is missing, unknown or out of range. `load_costs` turns it into one line.
    """

    model_config = _STRICT

    name: Text
    era: Text
    description: Text
    costs: dict[str, Cost]

    @field_validator("costs", mode="before")
    @classmethod
    def _check_rows(cls, costs: dict[str, object]) -> dict[str, object]:
        for row in costs:
            if row not in COST_ROWS:
                raise ValueError(f"{row}: no such row; allowed are {', '.join(COST_ROWS)}")
        for row in COST_ROWS:
            if row not in costs:
                fields = ", ".join(Cost.model_fields)
                raise ValueError(f"{row}: row is missing; expected [{row}] with {fields}")
        return costs

    @field_validator("costs")
    @classmethod
    def _check_ranges(cls, costs: dict[str, Cost]) -> dict[str, Cost]:
        for row, (least, most) in ALLOWED.items():
            value = costs[row].value
            if not least <= value <= most:
                raise ValueError(f"{row}.value: {value} is not allowed; {_allowed(row)}")
        return costs

    @property
    def values(self) -> np.ndarray:
        """The figures as the clock reads them, read-only int64[cost.COUNT]."""
        values = np.ones(cost.COUNT, np.int64)  # a unit of work.NS is 1 ns
        for row, index in COST_ROWS.items():
            values[index] = self.costs[row].value
        values.flags.writeable = False
        return values

    def frame(self) -> pl.DataFrame:
        """Show the table.

        Returns
        -------
        polars.DataFrame
            One row per cost: cost, value, unit ("ns" or "reads"), status, source.
        """
        rows = [
            (
                row.removesuffix("_ns"),
                self.costs[row].value,
                "ns" if row.endswith("_ns") else "reads",
                self.costs[row].status,
                self.costs[row].source,
            )
            for row in COST_ROWS
        ]
        return pl.DataFrame(rows, ["cost", "value", "unit", "status", "source"], orient="row")

    def to_toml(self) -> str:
        """Write the table as TOML, for a file that `load_costs` and scenarios read."""
        fields = self.model_dump()
        return tomli_w.dumps(fields | fields.pop("costs"))


def load_costs(name_or_path: str | Path) -> CostTable:
    """Load a cost table of data/costs by name, or one of your own by the path of its TOML file.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        A name; or a path, which is a Path, ends in .toml or contains a slash.

    Returns
    -------
    CostTable

    Raises
    ------
    CostTableError
        If there is no such table, or a row of it is missing, unknown or out of range.
    """
    path = _path(name_or_path)
    return _table(str(name_or_path), _content(path, str(name_or_path)))


def cost_values(name_or_path: str | Path) -> np.ndarray:
    """The figures of a table as the clock reads them: `CostTable.values`, parsed only once.

    To parse a table takes longer than a small run. A file that has changed is parsed again.
    """
    path = _path(name_or_path)
    return _values(str(name_or_path), _content(path, str(name_or_path)))


@lru_cache(maxsize=64)
def _values(name: str, content: bytes) -> np.ndarray:
    return _table(name, content).values


def _path(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text:
        return Path(text)
    return _packaged(text)


@cache
def _packaged(text: str) -> Path:
    names = data_names("costs")
    if text not in names:
        raise CostTableError(
            f"costs: no table {text!r}; there are {', '.join(names)}, or a path to a .toml"
        )
    return data_path("costs", text)


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CostTableError(f"{name}: cannot be read: {error.strerror}") from None


def _table(name: str, content: bytes) -> CostTable:
    try:
        table = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CostTableError(f"{name}: is no TOML: {error}") from None
    # Above the rows stand the fields of the table itself; what else is there is a row.
    fields = {key: table.pop(key) for key in ("name", "era", "description") if key in table}
    try:
        return CostTable.model_validate({**fields, "costs": table})
    except ValidationError as error:
        raise CostTableError(f"{name}: {_one_line(error)}") from None


def _allowed(row: str) -> str:
    least, most = ALLOWED.get(row, (0, MOST_NS))
    return f"allowed is an integer from {least} to {most}"


def _one_line(error: ValidationError) -> str:
    """Say what the first error is: row, value, and what is allowed."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part != "costs"]
    if not where:  # the table's own rules name the row themselves
        return first["msg"].removeprefix("Value error, ")
    name = ".".join(where)
    if first["type"] == "missing":
        return f"{name}: is missing"
    if first["type"] == "extra_forbidden":
        return f"{name}: no such field; allowed are {', '.join(Cost.model_fields)}"
    if where[-1] == "value":
        allowed = _allowed(where[0])
    else:
        allowed = first["msg"].replace("Input should be", "allowed is")
    return f"{name}: {first['input']!r} is not allowed; {allowed}"
