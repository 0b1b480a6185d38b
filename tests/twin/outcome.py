"""What a run records and leaves behind (rules 5, *What is recorded*)."""

from collections import defaultdict
from dataclasses import dataclass, field

from rfcsim.model.layout import lock
from tests.twin.address_space import AddressSpace

TraceRow = tuple[int, str, int, int, int]  # time_ns, event, task, a, b


@dataclass
class Recorder:
    """Every wait, hold and call of a run, by class of task."""

    trace: list[TraceRow] = field(default_factory=list)
    times: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[tuple[int, int], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # (class, call) -> (duration, value)

    def waited(self, task_class: int, mode: int, ns: int) -> None:
        self.times[task_class, f"wait_{mode_name(mode)}"].append(ns)

    def held(self, task_class: int, mode: int, ns: int) -> None:
        self.times[task_class, f"hold_{mode_name(mode)}"].append(ns)

    def went_round(self, task_class: int, ns: int) -> None:
        self.times[task_class, "round"].append(ns)

    def called(self, task_class: int, call: int, ns: int, value: int) -> None:
        self.times[task_class, "call"].append(ns)
        self.calls[task_class, call].append((ns, value))


def mode_name(mode: int) -> str:
    return "shared" if mode == lock.SHARED else "exclusive"


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind, to be compared."""

    trace: list[TraceRow]
    times: dict[tuple[int, str], list[int]]  # (class, what) -> every value, ns
    calls: dict[tuple[int, int], list[tuple[int, int]]]  # (class, call) -> (ns, value)
    returned: list[list[int]]  # by task: the value of each of its calls
    space: AddressSpace
    elapsed_ns: int
