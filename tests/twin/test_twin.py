"""Engine and twin, event by event."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim import Region, Scenario, TaskGroup, Touch
from rfcsim.model.layout import call, errno
from tests.twin.agreement import agreed_outcome
from tests.twin.cost_values import cost_values
from tests.twin.engine import bits, run_engine
from tests.twin.readahead import LOTS_OF_MISSES
from tests.twin.strategies import Case, cases

# Calls that the model has and the twin does not make yet.
MODEL_ALONE = ("populate", "remap_file_pages", "get_user_pages")

# Every value that a call can have in a scenario; 0 is success. Random scenarios meet them all.
VALUES = {
    *((name, 0) for name in call.NAMES[1:] if name not in MODEL_ALONE),
    *(("mlock", error) for error in (errno.EPERM, errno.ENOMEM, errno.ERESTARTSYS)),
    *(
        ("mlockall", error)
        for error in (errno.EPERM, errno.EINVAL, errno.ENOMEM, errno.ERESTARTSYS)
    ),
    *(("mmap", error) for error in (errno.EPERM, errno.ENOMEM, errno.EAGAIN)),
    *(("mremap", error) for error in (errno.EINVAL, errno.EFAULT, errno.EAGAIN, errno.ENOMEM)),
    *((name, errno.ENOMEM) for name in ("munlock", "munmap", "mprotect")),
    ("touch", errno.EFAULT),
}


def test_the_engine_does_what_the_rules_say():
    met = set()

    @settings(max_examples=30 * settings().max_examples)
    @given(cases())
    def engine_and_twin_agree(case: Case):
        outcome = agreed_outcome(*case)
        for (_, number), made in outcome.calls.items():
            met.update((call.NAMES[number], min(value, 0)) for _, value in made)

    engine_and_twin_agree()
    assert met == VALUES


@given(cases(), st.integers(1, 9))
def test_a_run_in_pieces_gives_the_same_bits_as_one_in_one_go(case: Case, most_events: int):
    assert bits(run_engine(*case, most_events=most_events)) == bits(run_engine(*case))


def test_read_around_gives_up_after_a_hundred_misses():
    """Too long for a random case: single reads come only after a hundred scattered misses."""
    scenario = Scenario(
        name="misses",
        costs="none",
        readahead_pages=4,
        regions=(Region(name="data", pages=3000, backing="file"),),
        tasks=(
            TaskGroup(
                name="reader",
                count=2,
                calls=(Touch(region="data", write=False, pick="random"),),
                repeats=120,
            ),
        ),
    )
    costs = cost_values(syscall=1, touch=1, fault_file=2, disk_request=50, disk_page=3, disk_seek=9)
    outcome = agreed_outcome(scenario, costs)
    reads = [count for _, event, _, _, count in outcome.trace if event == "disk_start"]
    assert outcome.space.vmas[0].read_misses > LOTS_OF_MISSES
    assert max(reads[:LOTS_OF_MISSES]) == 4
    assert set(reads[-20:]) == {1}
