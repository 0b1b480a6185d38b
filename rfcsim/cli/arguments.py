"""What several commands take: scenarios, settings, traces."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rfcsim.cli.app import InputError

if TYPE_CHECKING:
    import rfcsim

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="A preset.")]
Trace = Annotated[
    Path,
    typer.Argument(
        metavar="TRACE",
        help="Of a kernel: trace, trace_pipe, trace-cmd report, perf script; or of `run --trace`.",
    ),
]
MEASUREMENT = Path("measurement.parquet")
COSTS = Path("costs.toml")
Costs = Annotated[
    Path | None,
    typer.Option(
        metavar="COSTS.toml",
        help="Of `rfcsim calibrate`, for a measurement. If not given costs.toml beside "
        "measurement.parquet; otherwise what the measurement calibrates to.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]


def read_scenario(file: Path | None, preset: str | None) -> "rfcsim.Scenario":
    if (file is None) == (preset is None):
        raise InputError("a SCENARIO.toml or --preset NAME must be given, one of the two")
    import rfcsim

    return rfcsim.preset(preset) if preset is not None else rfcsim.Scenario.from_toml(str(file))


def assignment(text: str, option: str = "--set") -> tuple[str, Any]:
    """Read KEY=VALUE; the value as TOML, or as it is where it is none."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InputError(f"{option} {text}: must be KEY=VALUE")
    try:
        table = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, table["value"] if len(table) == 1 else value
