"""A sweep as a TOML file: its scenarios, what is varied, how many replications, which seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfcsim.errors import RfcsimError
from rfcsim.runs.grid import Axis
from rfcsim.scenario.explain import did_you_mean, show
from rfcsim.scenario.presets import preset
from rfcsim.scenario.scenario import Scenario
from rfcsim.scenario.toml import parse, read_text

KEYS = ("scenario", "replications", "seed", "over")


@dataclass(frozen=True)
class SweepFile:
    """What a sweep file says; each attribute is an argument of `sweep`.

    Attributes
    ----------
    scenarios : list of Scenario
    over : dict of str to values
    replications, seed : int
        10 and 0 if the file does not say.
    """

    scenarios: list[Scenario]
    over: dict[str, Axis]
    replications: int = 10
    seed: int = 0


def read_sweep(file: str | Path) -> SweepFile:
    """Read a sweep file.

    It has `scenario` (the name of a preset, the path of a scenario file, a list of these, or a
    table with the fields of a scenario), `replications`, `seed`, and the table `over`. That has
    fields of the scenario, each with a list of values, or names of axes, each with an array of
    tables; each table has a `name` and the fields that it changes. Paths start at the file's
    folder.

    Parameters
    ----------
    file : path

    Raises
    ------
    RfcsimError
        One line: the file, the key, its value and what is allowed.
    """
    data = parse(read_text(file), str(file))
    try:
        return _sweep(data, Path(file).parent)
    except RfcsimError as error:
        raise RfcsimError(f"{file}: {error}") from None


def _sweep(data: dict[str, Any], folder: Path) -> SweepFile:
    for key in data:
        if key not in KEYS:
            raise RfcsimError(f"{key}: unknown key; {did_you_mean(key, KEYS)}")
    if "scenario" not in data:
        raise RfcsimError("scenario: missing, must be given")
    given = data["scenario"] if isinstance(data["scenario"], list) else [data["scenario"]]
    over = data.get("over", {})
    if not isinstance(over, dict):
        raise RfcsimError(f"over = {show(over)}: must be a table")
    return SweepFile(
        scenarios=[_scenario(one, folder) for one in given],
        over={name: _axis(name, values, folder) for name, values in _flat(over).items()},
        **{key: data[key] for key in ("replications", "seed") if key in data},
    )


def _scenario(given: object, folder: Path) -> Scenario:
    if isinstance(given, Mapping):
        try:
            scenario = Scenario(**given)
        except RfcsimError as error:
            raise RfcsimError(f"scenario.{error}") from None
        return scenario.replace(costs=_costs(scenario.costs, folder))
    if not isinstance(given, str):
        raise RfcsimError(f"scenario = {show(given)}: must be a name, a path or a table")
    if given.endswith(".toml") or "/" in given:
        return Scenario.from_toml(str(folder / given))
    return preset(given)


def _axis(name: str, given: object, folder: Path) -> Axis:
    """The values of an axis, or its variants, as `sweep` takes them."""
    if not isinstance(given, list):
        raise RfcsimError(f"over.{name} = {show(given)}: must be a list of values")
    tables = [value for value in given if isinstance(value, dict)]
    if not tables:
        return [_costs(value, folder) for value in given] if name == "costs" else given
    if len(tables) < len(given):
        raise RfcsimError(f"over.{name}: must be values, or tables with a name each, not both")
    variants: dict[str, dict[str, Any]] = {}
    for table in tables:
        variant = table.get("name")
        if not isinstance(variant, str):
            raise RfcsimError(f"over.{name}: each table must have a name of its own")
        if variant in variants:
            raise RfcsimError(f"over.{name}: {show(variant)} is given twice, must be given once")
        changes = _flat({key: value for key, value in table.items() if key != "name"})
        if "costs" in changes:
            changes["costs"] = _costs(changes["costs"], folder)
        variants[variant] = changes
    return variants


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested tables into dotted keys: TOML reads `tasks.worker.count` as nested tables."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _costs(given: Any, folder: Path) -> Any:
    """The cost table: a path starts at the file's folder, a name stays as it is."""
    is_path = isinstance(given, str) and (given.endswith(".toml") or "/" in given)
    return str(folder / given) if is_path else given
