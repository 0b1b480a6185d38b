"""What a scenario is made of: regions of memory, groups of tasks, and figures to compare with.

Memory is counted in pages of 4 KiB, time in nanoseconds; the names say which.
"""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, StrictBool, model_validator

from rfcsim.scenario.calls import Call
from rfcsim.scenario.checked import (
    Checked,
    Distribution,
    Limits,
    Name,
    Nanoseconds,
    Offset,
    Pages,
    Protection,
)


class Region(Checked):
    """A stretch of the address space: one mapping, or free room for one.

    Regions lie one after another from page 0, each after its gap.

    Attributes
    ----------
    name : str
        The name by which calls refer to it.
    pages : int
        Its size.
    backing : str
        "anonymous", "file", or "hugetlb" (anonymous, VM_HUGETLB).
    protection : str
        "none", "r", "rw", "rx" or "x".
    cached : bool
        The file's pages are in the page cache from the start.
    present : bool
        Its pages are mapped from the start: for anonymous backing, real pages if it is writable and
        the zero page if not; for a file, the pages of the page cache.
    locked : bool
        VM_LOCKED from the start, charged to locked_vm.
    access : str
        The madvise() hint for readahead: "normal", "sequential" or "random".
    special : str
        "none", or a kind of VMA that mlock() treats apart: "io", "pfnmap", "dontexpand", "reserved"
        or "gate".
    mapped : bool
        If False, the room is left free, for mmap() to fill.
    grows_down : bool
        It is a stack.
    end_of_file_page : int, optional
        The file ends after this many pages; a fault behind its end gets SIGBUS.
    gap_pages : int
        The size of the hole before it.
    one_per : str, optional
        Name of a task group: each of its tasks has its own copy of the region.
    """

    name: Name
    pages: Pages
    backing: Literal["anonymous", "file", "hugetlb"] = "anonymous"
    protection: Protection = "rw"
    cached: StrictBool = False
    present: StrictBool = False
    locked: StrictBool = False
    access: Literal["normal", "sequential", "random"] = "normal"
    special: Literal["none", "io", "pfnmap", "dontexpand", "reserved", "gate"] = "none"
    mapped: StrictBool = True
    grows_down: StrictBool = False
    end_of_file_page: Offset | None = None
    gap_pages: Offset = 1
    one_per: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.backing != "file":
            if self.cached:
                raise ValueError('cached = true: only with backing = "file"')
            if self.end_of_file_page is not None:
                raise ValueError(
                    f'end_of_file_page = {self.end_of_file_page}: only with backing = "file"'
                )
        elif self.end_of_file_page is not None and self.end_of_file_page > self.pages:
            raise ValueError(
                f"end_of_file_page = {self.end_of_file_page}: must be {self.pages} (pages) or less"
            )
        for field in ("present", "locked", "grows_down"):
            if not self.mapped and getattr(self, field):
                raise ValueError(f"{field} = true: only with mapped = true")
        if self.locked and (self.special != "none" or self.backing == "hugetlb"):
            raise ValueError("locked = true: a special or hugetlb mapping is never VM_LOCKED")
        return self


class TaskGroup(Checked):
    """Tasks that run the same program; the results treat them as one class.

    Attributes
    ----------
    name : str
        The name of the class; its tasks are "name 0", "name 1", ...
    count : int
        How many tasks.
    calls : tuple
        The program: `Mlock`, `Munmap` and other calls, in order.
    repeats : int
        How many times a task goes through its program; 0 is for ever.
    start_ns, start : int, str
        The delay before the first call, and its distribution.
    cpu : int, optional
        The only CPU that the tasks may use; None means any.
    realtime : bool
        The tasks are real-time (SCHED_FIFO): they run before all tasks that are not.
    """

    name: Name
    count: Annotated[int, Field(strict=True, ge=1, le=Limits.TASKS)] = 1
    calls: Annotated[tuple[Call, ...], Field(min_length=1)]
    repeats: Annotated[int, Field(strict=True, ge=0, le=Limits.REPEATS)] = 1
    start_ns: Nanoseconds = 0
    start: Distribution = "constant"
    cpu: Annotated[int, Field(strict=True, ge=0)] | None = None
    realtime: StrictBool = False


Quantity = Literal["longest call", "calls per second", "rounds per second", "median round"]
PER_SECOND = ("calls per second", "rounds per second")


class Published(Checked):
    """A figure that somebody else reported for the case that the scenario models.

    Attributes
    ----------
    task : str
        The group that it is about.
    quantity : str
        "longest call" or "median round" (in s; a round is once through the program), "calls per
        second" or "rounds per second" (in 1/s, the average of a task).
    value : float
        The figure, in `unit`.
    value_to : float, optional
        The upper end of a range, if `value` is the lower end of one.
    unit : str
        "s" or "1/s".
    words : str
        What the source says, if the figure is a reading of it.
    source : str
        Who reported it, and where.
    """

    task: Name
    quantity: Quantity
    value: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    value_to: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    unit: Literal["s", "1/s"]
    words: str = ""
    source: str

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unit = "1/s" if self.quantity in PER_SECOND else "s"
        if self.unit != unit:
            raise ValueError(f'unit = "{self.unit}": the unit of {self.quantity} is "{unit}"')
        if self.value_to is not None and self.value_to < self.value:
            raise ValueError(
                f"value_to = {self.value_to:g}: must be {self.value:g} (value) or more"
            )
        return self


class Placement(NamedTuple):
    """Where a copy of a region lies: pages [start, end)."""

    region: Region
    copy: int
    start: int
    end: int
