"""What SPIN says of the race argument, against what was worked out by hand."""

from functools import cache, partial

import pytest

from tests.spin.judge import CLAIMS, Design, JudgeError, Judgement, Mutant, Policy, outcomes
from tests.spin.lines import format_outcome, parse_outcome, without_residue
from tests.spin.scenarios import SCENARIOS

PAGES = 3
BATCH = 2

EXPECTED: dict[tuple[str, Design], set[str]] = {
    # Before or after: the original mlock() leaves nothing in between. In addition, the RFC's leaves
    # what it had populated when the munlock() came: nothing, or one batch.
    ("munlock all", "exclusive"): {
        "ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0 pages=1-p- 1-p- 1-p- lv=0",
    },
    ("munlock all", "batched"): {
        "ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0 pages=1-p- 1-p- 1-p- lv=0",
        "ret=0,0 pages=1-p- 1-p- 1--- lv=0",
        "ret=0,0 pages=1--- 1--- 1--- lv=0",
    },
    ("munlock part", "exclusive"): {
        "ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0 pages=1Lpm 1-p- 1Lpm lv=2",
    },
    ("munlock part", "batched"): {
        "ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0 pages=1Lpm 1-p- 1Lpm lv=2",
        "ret=0,0 pages=1Lpm 1--- 1Lpm lv=2",
    },
    # With the first page gone, the mlock() fails before it does anything.
    ("munmap all", "exclusive"): {
        "ret=0,0 pages=.--- .--- .--- lv=0",
        "ret=-ENOMEM,0 pages=.--- .--- .--- lv=0",
    },
    ("munmap all", "batched"): {
        "ret=0,0 pages=.--- .--- .--- lv=0",
        "ret=-ENOMEM,0 pages=.--- .--- .--- lv=0",
    },
    # A hole that is there in pass one is an error, and what lies before it stays locked: populated
    # by the original, but not by the RFC, which skips pass two. A hole that appears later is
    # skipped.
    ("munmap part", "exclusive"): {
        "ret=0,0 pages=1Lpm .--- 1Lpm lv=2",
        "ret=-ENOMEM,0 pages=1Lpm .--- 1--- lv=1",
    },
    ("munmap part", "batched"): {
        "ret=0,0 pages=1Lpm .--- 1Lpm lv=2",
        "ret=-ENOMEM,0 pages=1L-- .--- 1--- lv=1",
    },
    ("remap part", "exclusive"): {
        "ret=0,0,1 pages=1Lpm 2--- 1Lpm lv=2",
        "ret=-ENOMEM,0,1 pages=1Lpm 2--- 1--- lv=1",
        "ret=0,0,1 pages=1Lpm 2Lpm 1Lpm lv=3",
    },
    ("remap part", "batched"): {
        "ret=0,0,1 pages=1Lpm 2--- 1Lpm lv=2",
        "ret=-ENOMEM,0,1 pages=1L-- 2--- 1--- lv=1",
        "ret=0,0,1 pages=1Lpm 2Lpm 1Lpm lv=3",
    },
    # A mapping that came after pass one has no VM_LOCKED, and is skipped.
    ("replace part", "exclusive"): {
        "ret=0,1 pages=1Lpm 2--- 1Lpm lv=2",
        "ret=0,1 pages=1Lpm 2Lpm 1Lpm lv=3",
    },
    ("replace part", "batched"): {
        "ret=0,1 pages=1Lpm 2--- 1Lpm lv=2",
        "ret=0,1 pages=1Lpm 2Lpm 1Lpm lv=3",
    },
    ("second mlock", "exclusive"): {"ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3"},
    ("second mlock", "batched"): {"ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3"},
    # One of the two may come before the mlock(), and the other after it.
    ("two munlocks", "exclusive"): {
        "ret=0,0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0,0 pages=1-p- 1-p- 1Lpm lv=1",
        "ret=0,0,0 pages=1Lpm 1-p- 1-p- lv=1",
        "ret=0,0,0 pages=1-p- 1-p- 1-p- lv=0",
    },
    # In between, each takes out the pages that no batch has reached. Only the last page is reached,
    # without the first two, if only those were unlocked in time; then it is unlocked itself.
    ("two munlocks", "batched"): {
        "ret=0,0,0 pages=1Lpm 1Lpm 1Lpm lv=3",
        "ret=0,0,0 pages=1-p- 1-p- 1Lpm lv=1",
        "ret=0,0,0 pages=1--- 1--- 1Lpm lv=1",
        "ret=0,0,0 pages=1Lpm 1-p- 1-p- lv=1",
        "ret=0,0,0 pages=1Lpm 1-p- 1--- lv=1",
        "ret=0,0,0 pages=1Lpm 1--- 1--- lv=1",
        "ret=0,0,0 pages=1-p- 1-p- 1-p- lv=0",
        "ret=0,0,0 pages=1-p- 1-p- 1--- lv=0",
        "ret=0,0,0 pages=1-p- 1--- 1--- lv=0",
        "ret=0,0,0 pages=1--- 1--- 1-p- lv=0",
        "ret=0,0,0 pages=1--- 1--- 1--- lv=0",
    },
    ("toucher", "exclusive"): {"ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3"},
    ("toucher", "batched"): {"ret=0,0 pages=1Lpm 1Lpm 1Lpm lv=3"},
    ("hole", "exclusive"): {"ret=0,-ENOMEM pages=1Lpm .--- 1--- lv=1"},
    ("hole", "batched"): {"ret=0,-ENOMEM pages=1L-- .--- 1--- lv=1"},
}
"""Every outcome on three pages, two to a batch."""


judge = partial(outcomes, optimization="-O0")


@cache
def judged(scenario: str, design: Design, policy: Policy) -> Judgement:
    return judge(scenario, design, policy, PAGES, BATCH)


@pytest.mark.parametrize("policy", ["fifo", "any"])
@pytest.mark.parametrize(("scenario", "design"), EXPECTED)
def test_every_outcome_was_foreseen(scenario: str, design: Design, policy: Policy) -> None:
    """Each outcome does occur; for these, it makes no difference who is granted the lock."""
    judgement = judged(scenario, design, policy)
    assert judgement.outcomes == EXPECTED[scenario, design]
    assert judgement.verdicts == dict.fromkeys(CLAIMS, True)


@pytest.mark.parametrize(
    ("scenario", "beyond"),
    [
        ("munlock all", "residue"),
        ("munlock part", "residue"),
        ("munmap all", "nothing"),
        ("munmap part", "hole"),
        ("remap part", "hole"),
        ("replace part", "nothing"),
        ("second mlock", "nothing"),
        ("two munlocks", "residue"),
        ("toucher", "nothing"),
    ],
)
def test_what_the_rfc_adds_to_the_outcomes_of_the_original(scenario: str, beyond: str) -> None:
    """The RFC's sentence: an outcome of the original mlock(), except which pages are still there.

    What goes beyond that is no race: an mlock() that fails at a hole no longer populates anything.
    """
    original = judged(scenario, "exclusive", "fifo").outcomes
    added = judged(scenario, "batched", "fifo").outcomes - original
    known = {without_residue(parse_outcome(line)) for line in original}
    if not added:
        kind = "nothing"
    elif {without_residue(parse_outcome(line)) for line in added} <= known:
        kind = "residue"
    else:
        kind = "hole" if all(line.startswith("ret=-ENOMEM,") for line in added) else "more"
    assert kind == beyond


@pytest.mark.parametrize("design", ["exclusive", "batched"])
def test_claims_hold_in_a_crowd(design: Design) -> None:
    fifo = judge("crowd", design, "fifo", 4, 1)
    anybody = judge("crowd", design, "any", 4, 1)
    assert fifo.verdicts == anybody.verdicts == dict.fromkeys(CLAIMS, True)
    assert fifo.outcomes <= anybody.outcomes


def test_reduction_loses_no_outcome() -> None:
    full = judge("two munlocks", "batched", "fifo", 5, 1)
    reduced = judge("two munlocks", "batched", "fifo", 5, 1, reduction=True)
    assert reduced.outcomes == full.outcomes
    assert reduced.verdicts == full.verdicts
    assert reduced.states < full.states


@pytest.mark.parametrize(
    ("mutant", "scenario", "claim"),
    [
        ("NO_RECHECK", "munlock all", "mlocked_only_in_vm_locked"),
        ("NO_RECHECK", "munlock part", "mlocked_only_in_vm_locked"),
        ("NO_RECHECK", "replace part", "mlocked_only_in_vm_locked"),
        ("CHARGED_TWICE", "second mlock", "locked_vm_adds_up"),
        ("PAGE_SKIPPED", "toucher", "mlock_keeps_its_promise"),
        ("LOST_WAKE_UP", "munlock all", "every_call_returns"),
    ],
)
def test_a_wrong_line_is_found(mutant: Mutant, scenario: str, claim: str) -> None:
    """Each claim, and no other, is violated by the mutant that is made for it."""
    wrong = judge(scenario, "batched", "fifo", PAGES, 1, mutant=mutant)
    assert [name for name, holds in wrong.verdicts.items() if not holds] == [claim]


def test_a_missing_recheck_shows_in_the_outcomes_too() -> None:
    wrong = judge("munlock all", "batched", "fifo", PAGES, BATCH, mutant="NO_RECHECK")
    added = wrong.outcomes - EXPECTED["munlock all", "batched"]
    assert "ret=0,0 pages=1-pm 1-pm 1-pm lv=0" in added


def test_a_search_that_is_cut_short_is_no_verdict() -> None:
    with pytest.raises(JudgeError, match=r"^SPIN's search is incomplete: MEMLIM$"):
        judge("crowd", "batched", "fifo", 4, 1, most_memory_mb=16)


def test_without_spin_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(JudgeError, match=r"^spin is missing: tests/spin/ensure-spin.sh installs"):
        judge("hole", "batched", "fifo", PAGES, BATCH)


def test_every_core_scenario_is_expected() -> None:
    assert {scenario for scenario, _ in EXPECTED} == set(SCENARIOS) - {"crowd"}


def test_every_line_is_canonical() -> None:
    lines = [line for expected in EXPECTED.values() for line in expected]
    assert [format_outcome(parse_outcome(line)) for line in lines] == lines


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ret=0 pages=1Lp lv=1",
        "ret=0 pages=1Lpx lv=1",
        "ret=0 pages=0--- lv=0",
        "ret=-12 pages=.--- lv=0",
        "ret=0  pages=1Lpm lv=1",
        "pages=1Lpm ret=0 lv=1",
    ],
)
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not the canonical line of an outcome"):
        parse_outcome(line)
