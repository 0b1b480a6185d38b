"""What is simulated: an address space, the tasks that use it, and the kernel that serves them.

A scenario is frozen and complete: with a cost table and a seed, it determines every bit of a run.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, GetPydanticSchema, StrictBool, model_validator
from pydantic_core.core_schema import literal_schema

from rfcsim.errors import ScenarioError
from rfcsim.model.layout import design, policy
from rfcsim.scenario.calls import Brk, Call, Hold, Kill, Mremap, PiecesCall, RangeCall
from rfcsim.scenario.checked import Checked, Limits, Name, Nanoseconds, Pages
from rfcsim.scenario.explain import did_you_mean, show
from rfcsim.scenario.process import Placement, Published, Region, TaskGroup
from rfcsim.scenario.toml import parse, read_text


def _one_of(names: Iterable[str]) -> GetPydanticSchema:
    """The type of a field that takes one of these names; it is checked as a Literal would be."""
    return GetPydanticSchema(lambda _source, _handler: literal_schema(list(names)))


Design = Annotated[str, _one_of(design.BY_NAME)]
LockPolicy = Annotated[str, _one_of(policy.BY_NAME)]


class Scenario(Checked):
    """One case to simulate.

    Attributes
    ----------
    name, description : str
        What it is called and what it shows.
    design : str
        How mlock() and its kin populate: "downgrade" (2.6.28), "exclusive" (2.6.36), "batched" (the
        RFC, November 2010), "contended" (its second version, December 2010), "fault-retry"
        (2.6.38), "mm-populate" (3.9) or "vma-lock" (6.4).
    batch_pages : int
        Pages per shared hold under "batched".
    lock_policy : str
        How mmap_sem is granted: "fifo" (hand-over, up to 3.8), "writer-stealing" (3.9), "hand-off"
        (5.3), "reader-stealing" (5.11 to 6.19), or, for comparison, "reader-preference",
        "writer-preference" or "phase-fair".
    costs : str
        Name of a cost table, or the path of one (a .toml file).
    cpus : int
        CPUs of the machine.
    wake_up_preemption : bool
        A task that wakes up takes its CPU, if it is pinned to one, from the task that runs there.
    end_ns : int
        No call begins at or after this time; 0 means that the run ends when all tasks with finite
        repeats are done.
    rlimit_memlock_pages : int, optional
        RLIMIT_MEMLOCK in pages; None is RLIM_INFINITY.
    cap_ipc_lock : bool
        The process may exceed RLIMIT_MEMLOCK.
    max_map_count : int
        The sysctl vm.max_map_count.
    readahead_pages : int
        The readahead window of a file, in pages.
    regions, tasks : tuple of Region, tuple of TaskGroup
        The address space, and who uses it.
    published : tuple of Published
        Figures to compare with.

    Raises
    ------
    ScenarioError
        One line: the field, its value and what is allowed.
    """

    name: Name
    description: str = ""
    design: Design = "exclusive"
    batch_pages: Pages = 256
    lock_policy: LockPolicy = "fifo"
    costs: Annotated[str, Field(min_length=1)]
    cpus: Annotated[int, Field(strict=True, ge=1, le=Limits.CPUS)] = 2
    wake_up_preemption: StrictBool = False
    end_ns: Nanoseconds = 0
    rlimit_memlock_pages: Annotated[int, Field(strict=True, ge=0, le=2**62)] | None = None
    cap_ipc_lock: StrictBool = False
    max_map_count: Annotated[int, Field(strict=True, ge=1, le=2**24)] = 65530
    readahead_pages: Annotated[int, Field(strict=True, ge=1, le=2**20)] = 32
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    tasks: Annotated[tuple[TaskGroup, ...], Field(min_length=1)]
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_scenario(self)
        return self

    def placements(self) -> tuple[Placement, ...]:
        """Lay the regions out one after another from page 0, copies of a region in task order."""
        counts = {group.name: group.count for group in self.tasks}
        placed = []
        end = 0
        for region in self.regions:
            for copy in range(1 if region.one_per is None else counts[region.one_per]):
                start = end + region.gap_pages
                end = start + region.pages
                placed.append(Placement(region, copy, start, end))
        return tuple(placed)

    def replace(self, **changes: Any) -> "Scenario":
        """Make a copy with some fields changed; it is checked like every scenario.

        Parameters
        ----------
        **changes
            New values by field; a dotted key reaches inside lists, by name or by number:
            ``replace(**{"tasks.reader.count": 8, "tasks.locker.calls.0.pages": 512})``.
        """
        data = self.model_dump()
        for key, value in changes.items():
            _assign(data, key, value)
        return type(self)(**data)

    def to_toml(self) -> str:
        """Write the scenario as TOML; `from_toml_text` makes an equal one of it."""
        data = self.model_dump(exclude_none=True, exclude={"regions", "tasks", "published"})
        data["regions"] = [_given(region) for region in self.regions]
        data["tasks"] = [
            _given(group) | {"calls": [{"call": call.call} | _given(call) for call in group.calls]}
            for group in self.tasks
        ]
        if self.published:
            data["published"] = [_given(figure) for figure in self.published]
        return tomli_w.dumps(data)

    @classmethod
    def from_toml(cls, file: str | os.PathLike[str]) -> "Scenario":
        """Read a scenario file. A cost table given as a relative path lies beside it.

        A text that ends in ".toml" or has a "/" is a path; any other is the name of a table.

        Raises
        ------
        ScenarioError
            One line: the file, the field, its value and what is allowed.
        """
        scenario = cls.from_toml_text(read_text(file), str(file))
        if scenario.costs.endswith(".toml") or "/" in scenario.costs:
            return scenario.replace(costs=str(Path(file).parent / scenario.costs))
        return scenario

    @classmethod
    def from_toml_text(cls, text: str, source: str = "scenario") -> "Scenario":
        """Read a scenario from TOML text; error messages name `source` as its origin."""
        data = parse(text, source)
        try:
            return cls(**data)
        except ScenarioError as error:
            raise ScenarioError(f"{source}: {error}") from None


def check_scenario(scenario: Scenario) -> None:
    """Check what involves several fields: names, ranges and the end of the run."""
    _check_names(scenario)
    placed = _check_space(scenario)
    _check_tasks(scenario)
    size = placed[-1].end
    last = {p.region.name: p for p in placed}  # the last copy reaches furthest
    for g, group in enumerate(scenario.tasks):
        for c, call in enumerate(group.calls):
            if isinstance(call, RangeCall):
                _check_range(f"tasks[{g}].calls[{c}]", group, call, last, size)
            elif isinstance(call, Brk):
                path = f"tasks[{g}].calls[{c}]"
                place = _placement(f"{path}.region", call.region, group, last)
                _check_end_of_range(f"{path}.pages", call.pages, place.start, size)
            elif isinstance(call, Kill):
                _check_target(f"tasks[{g}].calls[{c}]", call, scenario)


def _check_names(scenario: Scenario) -> None:
    for field in ("regions", "tasks"):
        seen: set[str] = set()
        for i, item in enumerate(getattr(scenario, field)):
            if item.name in seen:
                raise ValueError(f"{field}[{i}].name = {show(item.name)}: must be unique")
            seen.add(item.name)
    groups = [group.name for group in scenario.tasks]
    for field, key in (("regions", "one_per"), ("published", "task")):
        for i, item in enumerate(getattr(scenario, field)):
            name = getattr(item, key)
            if name is not None and name not in groups:
                raise ValueError(
                    f"{field}[{i}].{key} = {show(name)}: must name a task group; "
                    f"{did_you_mean(name, groups)}"
                )


def _check_space(scenario: Scenario) -> tuple[Placement, ...]:
    counts = {group.name: group.count for group in scenario.tasks}
    pages = maps = 0
    for i, region in enumerate(scenario.regions):
        copies = 1 if region.one_per is None else counts[region.one_per]
        pages += copies * (region.gap_pages + region.pages)
        maps += copies * region.mapped
        if pages > Limits.PAGES:
            raise ValueError(
                f"regions[{i}].pages = {region.pages}: the address space would have {pages} pages, "
                f"must be {Limits.PAGES} or less"
            )
    if maps > scenario.max_map_count:
        raise ValueError(
            f"max_map_count = {scenario.max_map_count}: must be {maps} (mapped regions) or more"
        )
    return scenario.placements()


def _check_tasks(scenario: Scenario) -> None:
    tasks = sum(group.count for group in scenario.tasks)
    if tasks > Limits.TASKS:
        raise ValueError(f"tasks: {tasks} tasks in all, must be {Limits.TASKS} or less")
    for g, group in enumerate(scenario.tasks):
        if group.cpu is not None and group.cpu >= scenario.cpus:
            raise ValueError(
                f"tasks[{g}].cpu = {group.cpu}: must be {scenario.cpus - 1} (cpus - 1) or less"
            )
    if scenario.end_ns == 0:
        _check_end(scenario)


def _check_end(scenario: Scenario) -> None:
    if all(group.repeats == 0 for group in scenario.tasks):
        raise ValueError("end_ns = 0: must be more than 0 when every task repeats for ever")
    total_ns = 0
    for g, group in enumerate(scenario.tasks):
        round_ns = sum(call.think_ns + _own_time(call) for call in group.calls)
        total_ns += group.count * (group.start_ns + group.repeats * round_ns)
        if total_ns > Limits.TOTAL_NS:
            raise ValueError(
                f"tasks[{g}].repeats = {group.repeats}: thinking and holding would take {total_ns} "
                f"ns, must be {Limits.TOTAL_NS} or less (or give end_ns)"
            )


def _own_time(call: Call) -> int:
    """Nanoseconds that a call takes by itself: a hold, or at most the pauses between pieces."""
    if isinstance(call, Hold):
        return call.hold_ns
    if isinstance(call, PiecesCall) and call.piece_pages is not None:
        return call.pause_ns * (Limits.PAGES // call.piece_pages)
    return 0


def _check_range(
    path: str,
    group: TaskGroup,
    call: RangeCall,
    last: Mapping[str, Placement],
    size: int,
) -> None:
    region, _, start, _ = _placement(f"{path}.region", call.region, group, last)
    if call.pages is None:
        if call.offset_pages >= region.pages:
            raise ValueError(
                f"{path}.offset_pages = {call.offset_pages}: must be {region.pages - 1} or less, "
                "or give pages"
            )
        pages = region.pages - call.offset_pages
    else:
        pages = call.pages
        _check_end_of_range(f"{path}.pages", pages, start + call.offset_pages, size)
    if isinstance(call, Mremap) and call.to_region is not None:
        to = _placement(f"{path}.to_region", call.to_region, group, last)
        new_pages = pages if call.new_pages is None else call.new_pages
        _check_end_of_range(f"{path}.new_pages", new_pages, to.start + call.to_offset_pages, size)


def _check_target(path: str, call: Kill, scenario: Scenario) -> None:
    counts = {group.name: group.count for group in scenario.tasks}
    if call.task not in counts:
        raise ValueError(
            f"{path}.task = {show(call.task)}: must name a task group; "
            f"{did_you_mean(call.task, counts)}"
        )
    if call.number >= counts[call.task]:
        raise ValueError(
            f"{path}.number = {call.number}: must be {counts[call.task] - 1} (count - 1) or less"
        )


def _placement(path: str, name: str, group: TaskGroup, last: Mapping[str, Placement]) -> Placement:
    """The last placement of the region that a call of the group names."""
    if name not in last:
        raise ValueError(f"{path} = {show(name)}: must name a region; {did_you_mean(name, last)}")
    if last[name].region.one_per not in (None, group.name):
        raise ValueError(
            f"{path} = {show(name)}: is one_per {last[name].region.one_per}, "
            "must be a region of all tasks or of this group"
        )
    return last[name]


def _check_end_of_range(path: str, pages: int, start: int, size: int) -> None:
    if start + pages > size:
        raise ValueError(
            f"{path} = {pages}: the range ends beyond the address space, must be "
            f"{max(size - start, 0)} or less"
        )


def _given(model: Checked) -> dict[str, Any]:
    return model.model_dump(exclude_none=True, exclude_defaults=True)


def _assign(data: dict[str, Any], key: str, value: Any) -> None:
    """Set the field that a dotted key names; list entries are named by number or by name."""
    *parents, field = key.split(".")
    table: Any = data
    for depth, part in enumerate(parents):
        where = ".".join(parents[: depth + 1])
        if isinstance(table, dict):
            if part not in table:
                raise ScenarioError(f"{where}: unknown key; {did_you_mean(part, table)}")
            table = table[part]
        elif isinstance(table, Sequence) and not isinstance(table, str):
            table = table[_position(where, part, table)]
        else:
            raise ScenarioError(f"{where}: unknown key; {'.'.join(parents[:depth])} is not a table")
    if isinstance(table, list | tuple):
        raise ScenarioError(f"{key}: must name a field of one of {'.'.join(parents)}")
    if not isinstance(table, dict):
        raise ScenarioError(f"{key}: unknown key; {'.'.join(parents)} is not a table")
    table[field] = value


def _position(where: str, part: str, items: Sequence[Any]) -> int:
    names = [item.get("name", item.get("call", "")) for item in items]
    if names.count(part) == 1:
        return names.index(part)
    if part.isascii() and part.isdigit() and int(part) < len(items):
        return int(part)
    raise ScenarioError(f"{where}: there is none; {did_you_mean(part, names)}")
