"""The checker against SPIN: the same outcomes, and the same claims hold."""

import pytest

from rfcsim import Mlock, Mmap, Munlock, Munmap, Region, Scenario, TaskGroup, Touch, check
from rfcsim.model.layout import bit, vm
from rfcsim.race.outcomes import Outcome as Found
from rfcsim.scenario.calls import Call as ScenarioCall
from tests.spin.judge import Design, Policy, outcomes
from tests.spin.lines import Outcome, Page, format_outcome
from tests.spin.scenarios import SCENARIOS, Call, Task

PAGES = 3
BATCH = 2
MODELS = {"mlock": Mlock, "munlock": Munlock, "munmap": Munmap, "mmap": Mmap, "touch": Touch}
# SPIN's claims about states, by the checker's names.
CLAIMS = ("mlocked-where-locked", "charged-as-locked", "complete", "progress")


@pytest.mark.parametrize("policy", ["fifo", "any"])
@pytest.mark.parametrize("design", ["exclusive", "batched"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_checker_finds_what_spin_finds(name: str, design: Design, policy: Policy) -> None:
    judged = outcomes(name, design, policy, PAGES, BATCH, optimization="-O0")
    checked = check(scenario(SCENARIOS[name](PAGES), design), policy=policy)
    assert {format_outcome(canonical(end)) for end in checked.outcomes} == judged.outcomes
    assert all(judged.verdicts.values()) and all(checked.holds(claim) for claim in CLAIMS)


def scenario(
    tasks: tuple[Task, ...], design: Design, pages: int = PAGES, batch: int = BATCH
) -> Scenario:
    """A scenario of the judge in the form that the checker takes."""
    return Scenario(
        name="judged",
        costs="anon-2010",
        design=design,
        batch_pages=batch,
        regions=(Region(name="a", pages=pages, gap_pages=0),),
        tasks=tuple(
            TaskGroup(name=f"task{number}", calls=tuple(map(model, calls)))
            for number, calls in enumerate(tasks)
        ),
    )


def model(call: Call) -> ScenarioCall:
    return MODELS[call.name](region="a", offset_pages=call.start, pages=call.pages)


def canonical(end: Found) -> Outcome:
    """An outcome as SPIN's model writes it; no scenario maps more than once."""
    return Outcome(
        returned=end.results,
        pages=tuple(
            Page(
                identity=min(identity, 2),
                vm_locked=bool(flags & vm.LOCKED),
                present=bool(bits & bit.PRESENT),
                mlocked=bool(bits & bit.MLOCKED),
            )
            for identity, flags, bits in end.pages
        ),
        locked_vm_pages=end.locked_vm,
    )
