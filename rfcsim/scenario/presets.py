"""The scenarios and cost tables that come with the package."""

from rfcsim.data import Kind, data_names, data_path
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
    return _load("preset", name, "presets", "checks")


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
    return _load("check", name, "checks")


def _described(kind: Kind) -> dict[str, str]:
    scenarios = {name: _load(kind, name, kind) for name in data_names(kind)}
    return {name: case.description.partition("\n")[0] for name, case in scenarios.items()}


def _load(what: str, name: str, *kinds: Kind) -> Scenario:
    """The scenario of that name, of one of these kinds; `what` it is called in an error."""
    kind_of: dict[str, Kind] = {known: kind for kind in kinds for known in data_names(kind)}
    check_known(f"{what} {show(name)}", name, kind_of, ScenarioError)
    text = data_path(kind_of[name], name).read_text(encoding="utf-8")
    return Scenario.from_toml_text(text, f"{what} {name}")


def cost_tables() -> dict[str, str]:
    """Name the cost tables, each with its description."""
    return {name: load_costs(name).description for name in data_names("costs")}
