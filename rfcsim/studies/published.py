"""Published figures beside simulated ones."""

from collections.abc import Iterable

import polars as pl

from rfcsim.runs.result import Result
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.presets import preset
from rfcsim.scenario.process import Published

_SCHEMA = {
    "scenario": pl.String(),
    "quantity": pl.String(),
    "unit": pl.String(),
    "published": pl.Float64(),
    "published_to": pl.Float64(),
    "simulated": pl.Float64(),
    "ratio": pl.Float64(),
    "words": pl.String(),
    "source": pl.String(),
}


def published_comparison(runs: str | Result | Iterable[str | Result]) -> pl.DataFrame:
    """Put each figure that was published for a case beside what the simulator gives.

    Parameters
    ----------
    runs : str, Result, or several of them
        Runs of scenarios with published figures; a name is a preset, to be run with seed 0.

    Returns
    -------
    polars.DataFrame
        One row per figure: scenario, quantity, unit, published, published_to (the upper end if it
        is a range), simulated, ratio (simulated divided by published; for a range, by its nearer
        end, and 1 inside it), words (what the source says, if the figure is a reading of it),
        source.
    """
    several = [runs] if isinstance(runs, str | Result) else list(runs)
    rows = []
    for run in several:
        result = simulate(preset(run)) if isinstance(run, str) else run
        for figure in result.scenario.published:
            simulated = measure(result, figure)
            rows.append(
                (
                    result.scenario.name,
                    f"{figure.quantity} of {figure.task}",
                    figure.unit,
                    figure.value,
                    figure.value_to,
                    simulated,
                    _ratio(simulated, figure),
                    figure.words or None,
                    figure.source,
                )
            )
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def measure(result: Result, figure: Published) -> float:
    """What a run gives for the quantity of a published figure, in the figure's unit."""
    calls = result.calls.filter(pl.col("class") == figure.task)
    if figure.quantity == "longest call":
        return max(calls["max_ns"].to_list(), default=0) / 1e9
    if figure.quantity == "median round":
        return result.quantile(figure.task, "round", 0.5) / 1e9
    group = next(group for group in result.scenario.tasks if group.name == figure.task)
    per_second = sum(calls["count"].to_list()) / group.count / (result.elapsed_ns / 1e9)
    if figure.quantity == "rounds per second":
        return per_second / len(group.calls)
    return per_second


def _ratio(simulated: float, figure: Published) -> float:
    top = figure.value if figure.value_to is None else figure.value_to
    return simulated / min(max(simulated, figure.value), top)
