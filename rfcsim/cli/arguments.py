"""What several commands take: scenarios, settings, traces."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rfcsim.cli.app import InputError

if TYPE_CHECKING:
    import rfcsim

Preset = Annotated[
    str | None, typer.Option("--preset", metavar="NAME", help="One of `rfcsim presets`.")
]
ScenarioFile = Annotated[
    Path | None, typer.Argument(metavar="SCENARIO.toml", help="A scenario file.")
]
Design = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="How mlock() populates: exclusive, batched, ..."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the random numbers.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with times in ns.")]
Trace = Annotated[
    Path,
    typer.Argument(
        metavar="TRACE",
        help="Output of a kernel's trace or trace_pipe, trace-cmd report or perf script, "
        "or a file of `rfcsim run --trace`.",
    ),
]
MEASUREMENT = Path("measurement.parquet")
COSTS = Path("costs.toml")
Costs = Annotated[
    Path | None,
    typer.Option(
        metavar="COSTS.toml",
        help="A cost table of `rfcsim calibrate`. Default: costs.toml if the measurement is "
        "measurement.parquet, both in this folder; else the measurement is calibrated.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]


def read_scenario(file: Path | None, preset: str | None) -> "rfcsim.Scenario":
    if (file is None) == (preset is None):
        raise InputError("give either a SCENARIO.toml or --preset NAME")
    import rfcsim

    return rfcsim.preset(preset) if preset is not None else rfcsim.Scenario.from_toml(str(file))


def assignment(text: str, option: str = "--set") -> tuple[str, Any]:
    """Read KEY=VALUE. The value is TOML; text that is no TOML stands for itself."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InputError(f"{option} {text}: must be KEY=VALUE")
    try:
        table = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, table["value"] if len(table) == 1 else value
