"""The worst schedule for a task that waits, over all orders of steps."""

from dataclasses import dataclass

from rfcsim.errors import RfcsimError
from rfcsim.orders.problem import policy_code, problem_of, schedule_text
from rfcsim.race.search import CheckerError
from rfcsim.race.waiting import worst_wait as search_worst_wait
from rfcsim.scenario.scenario import Scenario


@dataclass(frozen=True)
class WorstWait:
    """The most that others can do while a task waits for mmap_sem, and how it comes about.

    Attributes
    ----------
    task : str
        Name of the group whose first task waits.
    policy : str
    pages : int
        Pages that others make present between its request and its grant.
    schedule : str
        A schedule in which they do so, up to the grant, for `replay`; "" if the task never has to
        wait.
    """

    task: str
    policy: str
    pages: int
    schedule: str


def worst_wait(scenario: Scenario, task: str, *, policy: str = "fifo") -> WorstWait:
    """Find the schedule in which others populate most pages while a task waits for mmap_sem.

    All orders of steps are tried, so this is a bound, not an estimate. It is in pages: how long a
    page takes, only the clock knows.

    Parameters
    ----------
    scenario : Scenario
        A small one, as for `check`; every task makes its calls once.
    task : str
        Name of the group whose first task waits; all of its requests count.
    policy : str
        "fifo": the hand-over of 2.6.36. "any": any waiter that the holders allow may be next.

    Raises
    ------
    RfcsimError
        One line: there is no such task, or what does not fit.
    """
    code = policy_code(policy)
    groups = [group.name for group in scenario.tasks]
    if task not in groups:
        raise RfcsimError(f"task = {task!r}: must be one of {', '.join(groups)}")
    number = sum(group.count for group in scenario.tasks[: groups.index(task)])
    try:
        found = search_worst_wait(problem_of(scenario), number, code)
    except CheckerError as error:
        raise RfcsimError(f"{scenario.name}: {error}") from None
    return WorstWait(task, policy, found.pages, schedule_text(found.legs))
