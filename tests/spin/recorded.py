"""What SPIN says of every core scenario, recorded in data/spin.csv for those without SPIN.

`python -m tests.spin.recorded` writes the file again; a test compares the two.
"""

from functools import partial
from pathlib import Path

import polars as pl

from tests.spin.judge import Design, Judgement, Mutant, outcomes
from tests.spin.scenarios import SCENARIOS, Task

FILE = Path(__file__).parents[2] / "data" / "spin.csv"
PAGES, BATCH = 3, 2
CROWD = "crowd"  # has five tasks: with three pages in batches of two, it would take too long
DESIGNS: tuple[Design, ...] = ("exclusive", "batched")
MUTANTS: tuple[tuple[Mutant, str], ...] = (
    ("NO_RECHECK", "munlock all"),
    ("CHARGED_TWICE", "second mlock"),
    ("PAGE_SKIPPED", "toucher"),
    ("LOST_WAKE_UP", "munlock all"),
)

_judge = partial(outcomes, policy="fifo", pages=PAGES, batch=BATCH, optimization="-O0")


def rows() -> pl.DataFrame:
    """Run every search, and put one row per search into a table.

    Returns
    -------
    polars.DataFrame
        scenario; calls ("mlock 0+3, munlock 1+1 | touch 2+1": page and number of pages of each
        call of a task, tasks apart); pages; batch_pages; design; mutant ("none", or the line of
        the model that is wrong); outcomes (how many there are); violated (claims of
        `tests.spin.judge.CLAIMS` that some schedule violates).
    """
    small = [name for name in SCENARIOS if name != CROWD]
    cases: list[tuple[str, Design, Mutant | None]] = [
        *((name, design, None) for name in small for design in DESIGNS),
        *((name, "batched", mutant) for mutant, name in MUTANTS),
    ]
    return pl.DataFrame(
        {
            "scenario": name,
            "calls": " | ".join(map(_written, SCENARIOS[name](PAGES))),
            "pages": PAGES,
            "batch_pages": BATCH,
            "design": design,
            "mutant": (mutant or "none").lower().replace("_", "-"),
            **_found(_judge(name, design, mutant=mutant)),
        }
        for name, design, mutant in cases
    )


def _written(task: Task) -> str:
    return ", ".join(f"{call.name} {call.start}+{call.pages}" for call in task)


def _found(judgement: Judgement) -> dict[str, int | str]:
    violated = [claim for claim, holds in judgement.verdicts.items() if not holds]
    return {"outcomes": len(judgement.outcomes), "violated": ", ".join(violated) or "none"}


if __name__ == "__main__":
    rows().write_csv(FILE)
