"""Cost tables: how long each piece of work takes, and where the figure comes from."""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
import tomli_w
from pydantic import ConfigDict, Field, field_validator

from rfcsim.clock.layout import cost
from rfcsim.data import data_names, data_path
from rfcsim.errors import CostTableError, RfcsimError
from rfcsim.model.layout import work
from rfcsim.scenario.checked import Checked
from rfcsim.scenario.explain import did_you_mean
from rfcsim.scenario.toml import parse, read_text

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


class _Strict(Checked):
    """What a number and a text are is not guessed; what is wrong is wrong with a cost table."""

    error: ClassVar[type[RfcsimError]] = CostTableError

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True)


class Cost(_Strict):
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

    value: Annotated[int, Field(ge=0, le=MOST_NS)]
    status: Status
    source: Text


class CostTable(_Strict):
    """How long each piece of work takes on one machine.

    Parameters
    ----------
    name, era, description : str
    costs : dict of str to Cost
        Exactly the rows of COST_ROWS.

    Raises
    ------
    CostTableError
        One line: the row that is missing, unknown or out of range, and what is allowed.
    """

    name: Text
    era: Text
    description: Text
    costs: dict[str, Cost]

    @field_validator("costs", mode="before")
    @classmethod
    def _check_rows(cls, costs: object) -> object:
        if not isinstance(costs, Mapping):
            return costs
        for row in costs:
            if row not in COST_ROWS:
                raise ValueError(f"{row}: unknown row; {did_you_mean(str(row), COST_ROWS)}")
        for row in COST_ROWS:
            if row not in costs:
                fields = ", ".join(Cost.model_fields)
                raise ValueError(f"{row}: missing, must be a table with {fields}")
        return costs

    @field_validator("costs")
    @classmethod
    def _check_ranges(cls, costs: dict[str, Cost]) -> dict[str, Cost]:
        for row, (least, most) in ALLOWED.items():
            value = costs[row].value
            if not least <= value <= most:
                raise ValueError(f"{row}.value = {value}: must be {least} to {most}")
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
    return _table(str(name_or_path), read_text(path, CostTableError))


def cost_values(name_or_path: str | Path) -> np.ndarray:
    """The figures of a table as the clock reads them: `CostTable.values`, parsed only once.

    To parse a table takes longer than a small run. A file that has changed is parsed again.
    """
    path = _path(name_or_path)
    return _values(str(name_or_path), read_text(path, CostTableError))


@lru_cache(maxsize=64)
def _values(name: str, text: str) -> np.ndarray:
    return _table(name, text).values


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


def _table(name: str, text: str) -> CostTable:
    table = parse(text, name, CostTableError)
    # Above the rows stand the fields of the table itself; what else is there is a row.
    fields = {key: table.pop(key) for key in ("name", "era", "description") if key in table}
    try:
        return CostTable(**fields, costs=table)
    except CostTableError as error:
        raise CostTableError(f"{name}: {str(error).removeprefix('costs.')}") from None
