"""The checker's verdicts on the cases of kernel-facts 8.1, and with and without reduction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim import (
    RfcsimError,
    Scenario,
    check,
    check_scenario,
    check_scenarios,
    replay,
)
from rfcsim.model.layout import vm
from rfcsim.orders.problem import problem_of
from rfcsim.orders.schedule import parse_schedule
from rfcsim.race.layout import claim, grant
from rfcsim.race.outcomes import concurrent_outcomes, outcome
from rfcsim.race.search import replay as replay_legs
from rfcsim.race.search import search_all
from tests.race.scenarios import (
    MAP_ANEW,
    MAP_OVER,
    MLOCK,
    MUNLOCK,
    MUNLOCK_PART,
    MUNMAP,
    MUNMAP_PART,
    TOUCH,
    beside_mlock,
    scenarios,
    scenarios_of_any_call,
)

STRICT = "as-if-sequential-strict"


@pytest.mark.parametrize("other", [MUNLOCK, MUNLOCK_PART, MUNMAP, MUNMAP_PART, MAP_ANEW, MLOCK])
def test_the_original_is_as_if_sequential(other) -> None:
    """Its one exclusive hold is a whole call."""
    assert check(beside_mlock(other, design="exclusive")).schedules == {}


@pytest.mark.parametrize("other", [MUNLOCK, MUNLOCK_PART])
def test_munlock_in_the_middle_leaves_what_callers_rely_on(other) -> None:
    """8.1 no. 1 and 2: as A;X, except for the residency of pages that nobody locked."""
    checked = check(beside_mlock(other))
    assert set(checked.schedules) == {STRICT}
    assert {end.promised() for end in checked.outcomes} <= {
        end.promised() for end in checked.sequential
    }


@pytest.mark.parametrize("other", [MUNMAP, MAP_ANEW, MLOCK])
def test_these_leave_nothing_that_some_order_would_not(other) -> None:
    """8.1 no. 3, 4 and 12."""
    assert check(beside_mlock(other)).schedules == {}


def test_a_hole_is_a_difference_without_any_concurrency() -> None:
    """8.2 (a): munmap of a part, then mlock: both fail, but the original has populated a page."""
    checked = check(beside_mlock(MUNMAP_PART))
    assert set(checked.schedules) == {"as-if-sequential", STRICT}
    assert checked.schedules["as-if-sequential"].startswith("B") and checked.holds("serialisable")


def test_a_second_mlock_never_returns_before_the_pages_are_there() -> None:
    for end in check(beside_mlock(MLOCK)).outcomes:
        assert end.results == (0, 0)
        assert all(bits & 3 == 3 for _, _, bits in end.pages)


# What is violated in each scenario that comes with the package; everything else holds.
WEAK = {"serialisable", "as-if-sequential", STRICT}
# Until 3.9 remap_file_pages takes VM_LOCKED away for a while under a shared hold, in any design.
# The original's callers never notice, since its mlock shares the lock with nobody.
UNFLAGGED = {"mlocked-where-locked", "charged-as-locked"}
VIOLATED = {
    "mlock-mremap": WEAK,  # 8.1 no. 5
    "mlock-mprotect-none": WEAK,  # no. 7
    "mlock-mprotect-read": WEAK,  # no. 8
    "mlock-munlock": {STRICT},  # no. 1
    "mlock-munlock-part": {STRICT},  # no. 2
    "mlock-munlock-two": {STRICT},
    "mlock-munlockall": {STRICT},  # no. 13
    "mlock-munmap-part": {"as-if-sequential", STRICT},  # 8.2 (a), without any concurrency
    "mlock-remap-file-pages": WEAK | UNFLAGGED,
}


@pytest.mark.parametrize("name", check_scenarios())
@pytest.mark.parametrize("policy", ["any", "fifo"])
def test_the_verdicts_are_those_of_the_analysis(name: str, policy) -> None:
    checked = check(check_scenario(name), policy=policy)
    assert set(checked.schedules) == VIOLATED.get(name, set())
    original = check(check_scenario(name).replace(design="exclusive"), policy=policy)
    # Nothing can come in between under one exclusive hold.
    assert set(original.schedules) == (UNFLAGGED if name == "mlock-remap-file-pages" else set())


# ... under the other designs. What was merged populates unlocked VMAs too, so munlock leaves no
# trace. It does so in one hold, as these files are cached, so protection cannot change meanwhile.
MERGED = {
    "mlock-map-anew": {STRICT},
    "mlock-mremap": WEAK,
    "mlock-munmap-part": {"as-if-sequential", STRICT},
}
BEFORE_3_9 = {"mlock-remap-file-pages": WEAK | UNFLAGGED}
BY_DESIGN = {
    "downgrade": {
        **BEFORE_3_9,
        "mlock-munlock-part": WEAK,
        "mlock-munlock-two": WEAK,
        "mlock-munmap-part": WEAK,
    },
    "contended": {
        **BEFORE_3_9,
        **MERGED,
        "mlock-mprotect-none": WEAK,
        "mlock-mprotect-read": WEAK,
    },
    "fault-retry": BEFORE_3_9 | MERGED,
    "mm-populate": MERGED,
    "vma-lock": MERGED,
}


@pytest.mark.parametrize("design", BY_DESIGN)
def test_the_verdicts_on_the_other_designs(design: str) -> None:
    scenarios = {name: check_scenario(name).replace(design=design) for name in check_scenarios()}
    checked = {name: check(scenario) for name, scenario in scenarios.items()}
    found = {name: set(result.schedules) for name, result in checked.items() if result.schedules}
    assert found == BY_DESIGN[design]
    for name, scenario in scenarios.items():
        whole = check(scenario, reduce=False)
        assert whole.schedules.keys() == checked[name].schedules.keys()
        assert whole.outcomes == checked[name].outcomes


def test_mremap_breaks_the_promise_that_mlock_made() -> None:
    """It returned 0, the moved mapping is VM_LOCKED, and its pages are not there."""
    checked = check(check_scenario("mlock-mremap"))
    broken = [
        end
        for end in checked.outcomes
        if end.results[0] == 0 and any(f & vm.LOCKED and not b for _, f, b in end.pages)
    ]
    assert broken and not set(broken) & checked.sequential


def test_remap_file_pages_breaks_it_too_where_the_lock_is_shared() -> None:
    """mlock has returned 0, the mapping is VM_LOCKED where it was, and its pages are not there."""
    checked = check(check_scenario("mlock-remap-file-pages"))
    broken = [
        end
        for end in checked.outcomes
        if end.results == (0, 0, 0) and all(f & vm.LOCKED for _, f, _ in end.pages)
        and any(not bits for _, _, bits in end.pages)
    ]  # fmt: skip
    assert broken and not set(broken) & checked.sequential


def test_three_tasks_and_every_policy() -> None:
    any_policy = check(beside_mlock(MUNLOCK, MAP_OVER))
    fifo = check(beside_mlock(MUNLOCK, MAP_OVER), policy="fifo")
    assert fifo.outcomes <= any_policy.outcomes


@pytest.mark.parametrize("policy", ["any", "fifo"])
def test_the_schedule_of_a_violation_leads_to_it(policy) -> None:
    scenario = beside_mlock(MUNLOCK)
    checked = check(scenario, policy=policy)
    schedule = checked.schedules[STRICT]
    legs = parse_schedule(schedule)
    code = {"any": grant.ANY, "fifo": grant.FIFO}[policy]
    *_, last = replay_legs(problem_of(scenario), legs, code)
    assert outcome(last.state, last.results) in checked.outcomes - checked.sequential
    steps = replay(scenario, schedule, policy=policy)
    assert len(steps) == sum(leg.steps for leg in legs)
    assert steps["did"].to_list().count("returns 0") == 2


@given(st.one_of(scenarios(), scenarios_of_any_call()), st.sampled_from([grant.ANY, grant.FIFO]))
@settings(max_examples=300)
def test_reduction_changes_no_verdict_and_no_outcome(scenario: Scenario, policy: int) -> None:
    problem = problem_of(scenario)
    reduced = search_all(problem, policy=policy, reduce=True)
    full = search_all(problem, policy=policy, reduce=False)
    assert reduced.states <= full.states
    assert set(concurrent_outcomes(reduced)) == set(concurrent_outcomes(full))
    for number in range(claim.COUNT):
        assert (reduced.violation(number) is None) == (full.violation(number) is None)


@given(scenarios())
@settings(max_examples=100)
def test_one_policy_finds_nothing_that_all_together_do_not(scenario: Scenario) -> None:
    problem = problem_of(scenario)
    of_any, of_fifo = (
        set(concurrent_outcomes(search_all(problem, policy=policy)))
        for policy in (grant.ANY, grant.FIFO)
    )
    assert of_fifo <= of_any


@given(scenarios())
@settings(max_examples=100)
def test_the_original_always_is_as_if_sequential(scenario: Scenario) -> None:
    """Except for faults, which share the lock with each other and with readers."""
    calls = [call.call for group in scenario.tasks for call in group.calls]
    if "touch" not in calls:
        original = check(scenario.replace(design="exclusive"))
        assert original.holds("as-if-sequential") and original.holds(STRICT)


def test_what_does_not_fit_is_one_line() -> None:
    with pytest.raises(RfcsimError, match=r"^beside-mlock: 1025 pages: must be 1024 or fewer"):
        check(beside_mlock(MUNLOCK, pages=1025))
    with pytest.raises(RfcsimError, match=r"^beside-mlock: 27 tasks: must be 26 or fewer"):
        check(beside_mlock(*[TOUCH] * 26))
    with pytest.raises(RfcsimError, match=r"must be cached, since the checker has no disk$"):
        check(beside_mlock(TOUCH).replace(**{"regions.a.backing": "file"}))
    with pytest.raises(RfcsimError, match=r"^policy = 'lifo': must be one of any, fifo$"):
        check(beside_mlock(MUNLOCK), policy="lifo")


def test_when_memory_is_full_the_message_says_how_far_it_came() -> None:
    crowd = beside_mlock(MLOCK, MLOCK, MUNLOCK, pages=8, batch=1)
    with pytest.raises(RfcsimError, match=r"states found, [\d,]+ of them expanded, when 0.001 GiB"):
        check(crowd, reduce=False, most_gib=0.001)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("A3 b2", "schedule has 'b2': must be a task and its steps, such as A5"),
        ("C1", "beside-mlock: schedule: task 2 cannot make step 1 of 1"),
        ("A99", "beside-mlock: schedule: task 0 cannot make step"),
    ],
)
def test_a_bad_schedule_is_one_line(schedule: str, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        replay(beside_mlock(MUNLOCK), schedule)
    assert str(caught.value).startswith(message)
