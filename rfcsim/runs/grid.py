"""The grid of a sweep: every combination of values, and the checked scenario of each point."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from rfcsim.errors import RfcsimError, ScenarioError
from rfcsim.scenario.costs import cost_values
from rfcsim.scenario.explain import show
from rfcsim.scenario.scenario import Scenario

Value = bool | int | float | str | None
# Values of the field that the axis names, or named variants: the fields that each changes.
Axis = Iterable[Value] | Mapping[str, Mapping[str, Any]]

# Fields that do not change how a case runs: they name and describe it. Costs count by their values.
_WORDS = {"name", "description", "published", "costs"}


@dataclass(frozen=True, eq=False)
class Point:
    """One point of the grid.

    Attributes
    ----------
    values : dict of str to Value
        "scenario" (its name), then by axis the value, or the name of the variant.
    scenario : Scenario
    costs : int64[cost.COUNT]
        The figures of the cost table, so that a worker elsewhere needs no file.
    fingerprint : str
        16 hexadecimal digits, from all that a run depends on except seed, replication and version.
    """

    values: dict[str, Value]
    scenario: Scenario
    costs: np.ndarray
    fingerprint: str

    def words(self) -> str:
        """The point in words: "design = "batched", batch_pages = 64"."""
        axes = [f"{axis} = {show(value)}" for axis, value in self.values.items()]
        return ", ".join(axes[1:] or axes)  # the scenario if there is no axis


@dataclass(frozen=True, eq=False)
class Grid:
    """All points, in a fixed order: scenarios outermost, the last axis innermost.

    Attributes
    ----------
    axes : dict of str to tuple of Value
        "scenario" (the names), then every axis in the order given.
    points : tuple of Point
    """

    axes: dict[str, tuple[Value, ...]]
    points: tuple[Point, ...]

    def frame(self) -> pl.DataFrame:
        """One row per point, in their order, and one column per axis."""
        return self._frame

    # What follows is needed whenever rows come in, and there may be many points.

    @cached_property
    def _frame(self) -> pl.DataFrame:
        columns = [
            pl.Series(axis, values, _dtype(values)).gather(
                [values.index(point.values[axis]) for point in self.points]
            )
            for axis, values in self.axes.items()
        ]
        return pl.DataFrame(columns)

    @cached_property
    def fingerprints(self) -> pl.Series:
        """The fingerprints of the points, in their order."""
        return pl.Series([point.fingerprint for point in self.points], dtype=pl.String())

    @cached_property
    def classes(self) -> tuple[pl.Series, np.ndarray]:
        """The classes of all points, point after point, and the index of each point's first."""
        names = [[group.name for group in point.scenario.tasks] for point in self.points]
        first = np.cumsum([0, *map(len, names)])[:-1]
        return pl.Series([name for each in names for name in each], dtype=pl.String()), first


def build_grid(
    scenarios: Scenario | Iterable[Scenario], over: Mapping[str, Axis], reserved: Iterable[str]
) -> Grid:
    """Make and check every point of a grid; see `rfcsim.sweep`.

    Parameters
    ----------
    scenarios : Scenario, or several of different names
    over : mapping of str to Axis
    reserved : iterable of str
        Names that an axis may not have.

    Raises
    ------
    RfcsimError
        One line: the axis, its value and what is allowed.
    """
    bases = _scenarios(scenarios)
    if not isinstance(over, Mapping):
        raise RfcsimError(f"over = {show(over)}: must map fields to lists of values")
    if not over and len(bases) == 1:
        raise RfcsimError("over is empty: must map at least one field to a list of values")
    taken = {"scenario", *reserved}
    for axis in over:
        if not isinstance(axis, str) or axis in taken:
            raise RfcsimError(f"over.{axis}: must be a field, or variants need another name")
    axes = {axis: _axis(axis, values) for axis, values in over.items()}
    _check_disjoint(axes)
    costs: dict[str, np.ndarray] = {}
    points = []
    for base in bases:
        for chosen in itertools.product(*(axis.items() for axis in axes.values())):
            values = dict(zip(axes, (name for name, _ in chosen), strict=True))
            changes = {key: value for _, change in chosen for key, value in change.items()}
            points.append(_point(base, values, changes, costs))
    names = {"scenario": tuple(base.name for base in bases)}
    return Grid(names | {axis: tuple(values) for axis, values in axes.items()}, tuple(points))


def _scenarios(given: Any) -> list[Scenario]:
    several = isinstance(given, Iterable) and not isinstance(given, Scenario | str)
    scenarios: list[Any] = list(given) if several else [given]
    if not scenarios:
        raise RfcsimError("scenario is empty: must be at least one scenario")
    names: set[str] = set()
    for scenario in scenarios:
        if not isinstance(scenario, Scenario):
            raise RfcsimError(f"scenario = {show(scenario)}: must be a Scenario, or several")
        if scenario.name in names:
            raise RfcsimError(
                f"scenario {show(scenario.name)}: is given twice, each must have a name of its own"
            )
        names.add(scenario.name)
    return scenarios


def _axis(name: str, given: Axis) -> dict[Value, Mapping[str, Any]]:
    """Each value of an axis, with the fields that it changes."""
    axis: dict[Value, Mapping[str, Any]] = {}
    if isinstance(given, Mapping):
        for variant, changes in given.items():
            if not isinstance(variant, str) or not isinstance(changes, Mapping):
                raise RfcsimError(
                    f"over.{name}.{variant} = {show(changes)}: must map fields to values"
                )
            axis[variant] = changes
    elif isinstance(given, str) or not isinstance(given, Iterable):
        raise RfcsimError(f"over.{name} = {show(given)}: must be a list of values")
    else:
        values = [value.item() if isinstance(value, np.generic) else value for value in given]
        _check_values(name, values)
        axis = {value: {name: value} for value in values}
    if not axis:
        raise RfcsimError(f"over.{name} is empty: must have at least one value")
    return axis


def _check_values(name: str, values: Sequence[Any]) -> None:
    for value in values:
        if not isinstance(value, Value):
            raise RfcsimError(
                f"over.{name} = {show(value)}: must be a number, text, true or false; "
                "to change several fields, give variants"
            )
    kinds = {float if isinstance(value, float) else type(value) for value in values} - {type(None)}
    if len(kinds) > 1 and kinds != {int, float}:
        raise RfcsimError(f"over.{name} = {list(values)!r}: must be values of one kind")
    for value in values:
        if values.count(value) > 1:
            raise RfcsimError(f"over.{name} = {show(value)}: is given twice, must be given once")


def _check_disjoint(axes: Mapping[str, Mapping[Value, Mapping[str, Any]]]) -> None:
    """Refuse a field that two axes change: one of them would have no effect."""
    changed: dict[str, str] = {}
    for axis, values in axes.items():
        for field in dict.fromkeys(key for changes in values.values() for key in changes):
            if field in changed:
                raise RfcsimError(
                    f"over.{axis}: changes {field}, as over.{changed[field]} does; only one may"
                )
            changed[field] = axis


def _point(
    base: Scenario,
    values: dict[str, Value],
    changes: dict[str, Any],
    costs: dict[str, np.ndarray],
) -> Point:
    try:
        scenario = base.replace(**changes)
        if scenario.costs not in costs:
            costs[scenario.costs] = cost_values(scenario.costs)
    except RfcsimError as error:
        chosen = Point({"scenario": base.name} | values, base, np.empty(0), "")
        raise ScenarioError(f"{error} (at {chosen.words()})") from None
    figures = costs[scenario.costs]
    return Point(
        values={"scenario": base.name} | values,
        scenario=scenario,
        costs=figures,
        fingerprint=_fingerprint(scenario, figures),
    )


def _fingerprint(scenario: Scenario, costs: np.ndarray) -> str:
    fields = scenario.model_dump(mode="json", exclude=_WORDS)
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    digest.update(costs.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def _dtype(values: Sequence[Value]) -> pl.DataType:
    kinds = {type(value) for value in values if value is not None}
    for kind, dtype in ((bool, pl.Boolean()), (float, pl.Float64()), (int, pl.Int64())):
        if kind in kinds:
            return dtype
    return pl.String()
