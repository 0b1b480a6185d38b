"""How to lock memory: what was compared, what is best, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from rfcsim.duration import human
from rfcsim.live import snippets
from rfcsim.words import count

TRIALS = pl.Schema(
    {
        "method": pl.String(),
        "piece_pages": pl.Int64(),
        "pause_us": pl.Float64(),
        "priority": pl.String(),
        "basis": pl.String(),
        "reaches": pl.Boolean(),
        "p99_ns": pl.Float64(),
        "p99_low_ns": pl.Float64(),
        "p99_high_ns": pl.Float64(),
        "total_ns": pl.Float64(),
        "total_low_ns": pl.Float64(),
        "total_high_ns": pl.Float64(),
    }
)
CONFIRMED = pl.Schema(
    {
        "method": pl.String(),
        "piece_pages": pl.Int64(),
        "pause_us": pl.Float64(),
        "placement": pl.String(),
        "rounds": pl.Int64(),
        "p99_ns": pl.Int64(),
        "max_ns": pl.Int64(),
        "total_ns": pl.Int64(),
        "keeps": pl.Boolean(),
    }
)
_SETTING = ("method", "piece_pages", "pause_us")
WAYS = {  # the calls of each method
    "mlock": "mlock()",
    "populate": "MADV_POPULATE_WRITE",
    "onfault-populate": "mlock2(MLOCK_ONFAULT), MADV_POPULATE_WRITE",
    "onfault-touch": "mlock2(MLOCK_ONFAULT), a write to each page",
    "touch": "a write to each page",
}


class Span(NamedTuple):
    """A figure in ns, and the least and the largest value that it had in several repetitions."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (human(round(number)) for number in self)
        return value if low == high else f"{value} ({low} to {high})"


def span(trial: Mapping[str, Any], what: str) -> Span:
    """The "p99" or the "total" of a trial."""
    return Span(*(trial[f"{what}{end}_ns"] for end in ("", "_low", "_high")))


@dataclass(frozen=True, eq=False, repr=False)
class Recommendation:
    """What `recommend` found.

    Attributes
    ----------
    p99_wait_ns : int
        The target.
    pages : int
        The range that was locked.
    trials : polars.DataFrame
        One row per way that was compared: method, piece_pages (null: no pieces), pause_us, priority
        (of whoever waits), basis ("measured", "predicted" or both), reaches, and p99_ns and
        total_ns, each with its low and high end.
    best : dict or None
        The trial that is recommended; None if none reaches the target.
    confirmed : polars.DataFrame
        What was measured again: method, piece_pages, pause_us, placement, rounds, p99_ns, max_ns,
        total_ns, keeps. Empty if that was not asked for, or could not be done here.
    elsewhere : str
        Kernel and CPU of a measurement that was to be confirmed on another machine; otherwise
        empty.
    """

    p99_wait_ns: int
    pages: int
    trials: pl.DataFrame
    best: Mapping[str, Any] | None
    confirmed: pl.DataFrame
    elsewhere: str = ""

    def __repr__(self) -> str:
        return f"<{self.text}>"

    @property
    def kept(self) -> bool | None:
        """Whether the recommended setting kept the target; None if it was not measured again."""
        if self.best is None or self.confirmed.is_empty():
            return None
        return bool(self._last()["keeps"].all())

    @property
    def text(self) -> str:
        """The recommendation in a few sentences."""
        if self.best is None:
            return self._no_way()
        target = human(self.p99_wait_ns)
        comes = "was to be" if self.kept is False else "is"
        sentences = [
            f"{_words(self.best)}: p99 of the others' waits {comes} {span(self.best, 'p99')}, "
            f"within {target}; {self._does()} takes {span(self.best, 'total')}"
        ]
        one_call = self.trials.filter(pl.col("method").is_in(["mlock", "populate"]))
        one_call = one_call.filter(pl.col("piece_pages").is_null())
        if len(one_call) and self.best["method"] != one_call["method"][0]:
            longer = 100 * (self.best["total_ns"] / one_call["total_ns"][0] - 1)
            sentences[0] += f", {longer:+.0f} % against one call"
        sentences[0] += "."
        if self.kept is None:
            again = "It was not measured again."
            if self.elsewhere:
                again = f"It was measured elsewhere ({self.elsewhere}), so not confirmed here."
            return " ".join([*sentences, again])
        last = self._last().sort("p99_ns")
        others = self.confirmed.join(last, on=list(_SETTING), how="anti", nulls_equal=True)
        if len(others):
            of_pieces = (others["piece_pages"] > (self.best["piece_pages"] or 0)).fill_null(False)
            which = "Larger pieces" if of_pieces.all() else "Other ways"
            sentences.append(f"{which} did not keep the target when they were measured.")
        p99, longest, total = (
            human(int(last[f"{name}_ns"].to_numpy().max())) for name in ("p99", "max", "total")
        )
        promise = "it keeps its promise" if self.kept else "it does NOT keep the target"
        sentences.append(
            f"Measured again: p99 {p99}, longest wait {longest}, {total} in all; {promise}."
        )
        return " ".join(sentences)

    @property
    def c_code(self) -> str:
        """C lines that lock memory in the recommended way; empty if there is none."""
        return "" if self.best is None else snippets.in_c(**_setting(self.best))

    @property
    def python_code(self) -> str:
        """Python lines that lock a NumPy array in the recommended way; empty if there is none."""
        return "" if self.best is None else snippets.in_python(**_setting(self.best))

    def table(self) -> pl.DataFrame:
        """What was compared, in words."""
        rows = [
            (
                WAYS[row["method"]],
                "" if row["piece_pages"] is None else f"{row['piece_pages']:,}",
                f"{row['pause_us']:g} us" if row["pause_us"] else "",
                row["priority"],
                row["basis"],
                "yes" if row["reaches"] else "no",
                str(span(row, "p99")),
                str(span(row, "total")),
            )
            for row in self.trials.iter_rows(named=True)
        ]
        columns = ("way", "piece", "pause", "waiter", "basis", "reaches", "p99 wait", "takes")
        return pl.DataFrame(rows, list(columns), orient="row")

    def _does(self) -> str:
        if self.best is not None and self.best["method"] in ("populate", "touch"):
            return f"making {self.pages:,} pages present, which may not be locked here,"
        return f"locking {self.pages:,} pages"

    def _last(self) -> pl.DataFrame:
        """What was measured at the recommended setting."""
        assert self.best is not None
        return self.confirmed.filter(
            *(pl.col(name).eq_missing(value) for name, value in _setting(self.best).items())
        )

    def _no_way(self) -> str:
        normal = self.trials.filter(priority="normal").sort("p99_ns")
        nearest = normal.row(0, named=True)
        real_time = self.trials.filter(pl.col("reaches"), priority="fifo")
        remedy = (
            f"What would: waiters that are real-time (SCHED_FIFO), and "
            f"{_words(real_time.row(0, named=True))}."
            if len(real_time)
            else "Real-time waiters would not help either: a round by itself takes as long."
        )
        return (
            f"No way keeps p99 of the others' waits within {human(self.p99_wait_ns)}; the nearest "
            f"is {_words(nearest)}, with {span(nearest, 'p99')}. {remedy}"
        )


def _words(trial: Mapping[str, Any]) -> str:
    words = WAYS[trial["method"]]
    if trial["piece_pages"] is not None:
        pages = trial["piece_pages"]
        words += f" of {count(pages, 'page')} at a time"
    if trial["pause_us"]:
        words += f", with {trial['pause_us']:g} us of sleep after each"
    return words


def _setting(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {name: trial[name] for name in _SETTING}
