"""Engine and twin, event by event."""

from hypothesis import given, settings

from tests.twin.agreement import agreed_outcome
from tests.twin.strategies import Case, cases

settings_of_profile = settings()


@settings(max_examples=4 * settings_of_profile.max_examples)
@given(cases())
def test_the_engine_does_what_the_rules_say(case: Case):
    agreed_outcome(*case)
