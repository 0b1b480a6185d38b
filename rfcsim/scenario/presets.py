"""The scenarios and cost tables that come with the package."""

from typing import Literal

from rfcsim.data import data_names, data_path
from rfcsim.errors import ScenarioError
from rfcsim.scenario.costs import load_costs
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.scenario import Scenario


def presets() -> dict[str, str]:
    """Name the presets to run on the clock, each with one line that says what it is."""
    return _described("presets")


def preset(name: str) -> Scenario:
    """Load a preset.

    Parameters
    ----------
    name : str
        One of `presets()` or `check_scenarios()`.

    Raises
    ------
    ScenarioError
        If there is no preset of that name.
    """
    names = [*data_names("presets"), *data_names("checks")]
    check_known(f"preset {show(name)}", name, names, ScenarioError)
    return _load("checks" if name in data_names("checks") else "presets", "preset", name)


def check_scenarios() -> dict[str, str]:
    """Name the presets that are small enough to `check`, each with what it is in one line."""
    return _described("checks")


def check_scenario(name: str) -> Scenario:
    """Load a preset that is small enough to `check`; otherwise like `preset`.

    Parameters
    ----------
    name : str
        One of `check_scenarios()`.
    """
    return _load("checks", "check", name)


def _described(kind: Literal["presets", "checks"]) -> dict[str, str]:
    scenarios = {name: _load(kind, kind, name) for name in data_names(kind)}
    return {name: case.description.partition("\n")[0] for name, case in scenarios.items()}


def _load(kind: Literal["presets", "checks"], what: str, name: str) -> Scenario:
    check_known(f"{what} {show(name)}", name, data_names(kind), ScenarioError)
    text = data_path(kind, name).read_text(encoding="utf-8")
    return Scenario.from_toml_text(text, f"{what} {name}")


def cost_tables() -> dict[str, str]:
    """Name the cost tables, each with its description."""
    return {name: load_costs(name).description for name in data_names("costs")}
