"""What comes with the package: scenarios and cost tables."""

from rfcsim.data import data_names, data_path
from rfcsim.errors import ScenarioError
from rfcsim.experiment.costs import load_costs
from rfcsim.experiment.explain import did_you_mean, show
from rfcsim.experiment.scenario import Scenario


def presets() -> dict[str, str]:
    """Name the presets, each with what it is in one line."""
    return {name: preset(name).description.partition("\n")[0] for name in data_names("presets")}


def preset(name: str) -> Scenario:
    """Load a preset.

    Parameters
    ----------
    name : str
        One of `presets()`.

    Raises
    ------
    ScenarioError
        If there is none of that name.
    """
    names = data_names("presets")
    if name not in names:
        raise ScenarioError(f"preset {show(name)}: there is none; {did_you_mean(name, names)}")
    text = data_path("presets", name).read_text(encoding="utf-8")
    return Scenario.from_toml_text(text, f"preset {name}")


def cost_tables() -> dict[str, str]:
    """Name the cost tables, each with what it is of."""
    return {name: load_costs(name).description for name in data_names("costs")}
