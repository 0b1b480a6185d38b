"""Several runs side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.runs.result import Result
from rfcsim.scenario.explain import show


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs to compare, each under a name.

    Attributes
    ----------
    results : mapping of str to Result
    """

    results: Mapping[str, Result]

    @cached_property
    def waits(self) -> pl.DataFrame:
        """The waits of every run (`Result.waits`), with a column run in front."""
        return self._stack({name: result.waits for name, result in self.results.items()})

    @cached_property
    def histogram(self) -> pl.DataFrame:
        """The histograms of every run (`Result.histogram`), with a column run in front."""
        return self._stack({name: result.histogram for name, result in self.results.items()})

    def table(self) -> pl.DataFrame:
        """Who waited, and how long, in words: `Result.table` of every run."""
        return self._stack({name: result.table() for name, result in self.results.items()})

    @staticmethod
    def _stack(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(
            frame.select(pl.lit(name).alias("run"), pl.all()) for name, frame in frames.items()
        )


def compare(results: Mapping[str, Result]) -> Comparison:
    """Put runs side by side, to tabulate them or to draw them in one chart.

    Parameters
    ----------
    results : mapping of str to Result
        At least one run; tables and legends show each under its name here.

    Raises
    ------
    RfcsimError
        If there is no run, or something that is not a run.
    """
    if not results:
        raise RfcsimError("results is empty: must be at least one run with its name")
    for name, result in results.items():
        if not isinstance(result, Result):
            what = type(result).__name__
            raise RfcsimError(f"results: {show(name)}: is a {what}, must be a Result")
    return Comparison(dict(results))
