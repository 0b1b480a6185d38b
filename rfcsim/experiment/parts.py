"""What a scenario is made of: regions of memory, groups of tasks, their calls.

Memory is counted in pages of 4 KiB, time in nanoseconds; the names say which.
"""

from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from rfcsim.errors import RfcsimError, ScenarioError
from rfcsim.experiment.explain import explain


class Limits:
    """How large a scenario may be, so that no array or sum of the simulator overflows."""

    PAGES: ClassVar[int] = 2**31  # address space: 8 TiB, one byte of memory a page
    TASKS: ClassVar[int] = 4096
    CPUS: ClassVar[int] = 1024
    NS: ClassVar[int] = 10**15  # any one time: eleven days
    REPEATS: ClassVar[int] = 10**12
    TOTAL_NS: ClassVar[int] = 2**56  # thinking and holding of a program that ends: two years


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Pages = Annotated[int, Field(strict=True, ge=1, le=Limits.PAGES)]
Offset = Annotated[int, Field(strict=True, ge=0, le=Limits.PAGES)]
Nanoseconds = Annotated[int, Field(strict=True, ge=0, le=Limits.NS)]
Distribution = Literal["constant", "exponential", "uniform"]
Protection = Literal["none", "r", "rw", "rx", "x"]


class _OneLine(type(BaseModel)):
    """Turns pydantic's report of bad values into an error of one line."""

    error: type[RfcsimError]

    def __call__(cls, *args, **values):
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise cls.error(explain(error, known_keys(cls))) from None


class Part(BaseModel, metaclass=_OneLine):
    """A frozen part of a scenario, or of something else that a user describes."""

    error: ClassVar[type[RfcsimError]] = ScenarioError

    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(Part):
    """A stretch of the address space: one mapping, or free room for one.

    Regions lie one after another from page 0, each behind its gap.

    Attributes
    ----------
    name : what calls say to mean it
    pages : its size
    backing : "anonymous", "file", or "hugetlb" (anonymous, VM_HUGETLB)
    protection : "none", "r", "rw", "rx" or "x"
    cached : the file's pages are in the page cache from the start
    present : its pages are mapped from the start: real pages where the backing is anonymous and
        writable, the zero page where it is anonymous and not, the page cache's for a file
    locked : VM_LOCKED from the start, charged to locked_vm
    access : madvise() hint, for readahead
    special : a VMA that mlock() treats apart: "io", "pfnmap", "dontexpand", "reserved" or "gate"
    mapped : False leaves the room free, for mmap() to fill
    grows_down : a stack
    end_of_file_page : the file ends after so many pages; a fault behind it gets SIGBUS
    gap_pages : hole before it
    one_per : name of a task group: a copy of the region for each of its tasks
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


class BaseCall(Part):
    """What every call has: the time that its task thinks before it."""

    think_ns: Nanoseconds = 0
    think: Distribution = "constant"


class RangeCall(BaseCall):
    """A call on pages of a region: `pages` None means the rest of it.

    A range may run past its region, so as to meet what lies behind, but not past the address space.
    """

    region: Name
    offset_pages: Offset = 0
    pages: Pages | None = None


class PiecesCall(RangeCall):
    """A call that a program may make piece by piece.

    `piece_pages` is the pages of each call; None means one call for all. The program pauses
    `pause_ns` between two of them, and gives up where one fails.
    """

    piece_pages: Pages | None = None
    pause_ns: Nanoseconds = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pause_ns and self.piece_pages is None:
            raise ValueError(f"pause_ns = {self.pause_ns}: only with piece_pages")
        return self


class Mlock(PiecesCall):
    """mlock() of a range; with `on_fault` mlock2(MLOCK_ONFAULT), which populates nothing."""

    call: Literal["mlock"] = "mlock"
    on_fault: StrictBool = False


class Populate(PiecesCall):
    """madvise(MADV_POPULATE_WRITE) of a range, or MADV_POPULATE_READ where it is not writable."""

    call: Literal["populate"] = "populate"


class Munlock(RangeCall):
    """munlock() of a range."""

    call: Literal["munlock"] = "munlock"


class Mlockall(BaseCall):
    """mlockall() of what is mapped (MCL_CURRENT), of what will be (MCL_FUTURE), or of both."""

    call: Literal["mlockall"] = "mlockall"
    current: StrictBool = True
    future: StrictBool = False


class Munlockall(BaseCall):
    """munlockall(), which also ends MCL_FUTURE."""

    call: Literal["munlockall"] = "munlockall"


class Mmap(RangeCall):
    """mmap(MAP_FIXED) of a range, with its region's protection, backing, access and special.

    `locked` is MAP_LOCKED, `populate` MAP_POPULATE.
    """

    call: Literal["mmap"] = "mmap"
    locked: StrictBool = False
    populate: StrictBool = False


class Munmap(RangeCall):
    """munmap() of a range."""

    call: Literal["munmap"] = "munmap"


class Mprotect(RangeCall):
    """mprotect() of a range."""

    call: Literal["mprotect"] = "mprotect"
    protection: Protection


class Mremap(RangeCall):
    """mremap() of a range to `new_pages` pages; None means as many as it has.

    With `to_region` it moves to `to_offset_pages` in that region (MREMAP_FIXED), over what is
    mapped there. Otherwise it grows where it is or, with `may_move`, moves to the lowest hole.
    """

    call: Literal["mremap"] = "mremap"
    new_pages: Pages | None = None
    to_region: Name | None = None
    to_offset_pages: Offset = 0
    may_move: StrictBool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.to_region is None and self.to_offset_pages:
            raise ValueError(f"to_offset_pages = {self.to_offset_pages}: only with to_region")
        if self.to_region is not None and not self.may_move:
            raise ValueError("may_move = false: only without to_region")
        return self


class RemapFilePages(RangeCall):
    """remap_file_pages() of a range of a file's mapping; `nonblock` is MAP_NONBLOCK.

    It maps another part of the file than lies there by order, which part does not matter. The
    file is one like those of tmpfs: another file's pages are remapped as mmap() would. From
    4.0 on the kernel has no other way: under the design "vma-lock" call mmap() with `populate`.
    """

    call: Literal["remap_file_pages"] = "remap_file_pages"
    nonblock: StrictBool = False


class Brk(BaseCall):
    """brk(): the heap, which begins where a region does, is to have so many pages."""

    call: Literal["brk"] = "brk"
    region: Name
    pages: Offset


class Truncate(RangeCall):
    """ftruncate() of the file behind a range, which then ends before the range."""

    call: Literal["truncate"] = "truncate"


class Touch(RangeCall):
    """An access by the program itself to one page of a range: the first, a random or the next."""

    call: Literal["touch"] = "touch"
    write: StrictBool = True
    pick: Literal["fixed", "random", "sequential"] = "fixed"


class GetUserPages(RangeCall):
    """get_user_pages() on a range, as an O_DIRECT read into it does (`write`), or a write from it.

    Below a stack it lets the stack grow, as a page fault does.
    """

    call: Literal["get_user_pages"] = "get_user_pages"
    write: StrictBool = True


class ReadMaps(BaseCall):
    """A read of /proc/PID/maps."""

    call: Literal["read_maps"] = "read_maps"


class Fork(BaseCall):
    """fork(), as far as the parent notices: anonymous pages are shared until written."""

    call: Literal["fork"] = "fork"


class Kill(BaseCall):
    """A fatal signal to the task of that number (from 0) in a group; it makes no further call."""

    call: Literal["kill"] = "kill"
    task: Name
    number: Offset = 0


class Hold(BaseCall):
    """Any other taker of mmap_sem: takes it in a mode and holds it for so long."""

    call: Literal["hold"] = "hold"
    mode: Literal["shared", "exclusive"]
    hold_ns: Nanoseconds
    distribution: Distribution = "constant"


Call = Annotated[
    Mlock
    | Populate
    | Munlock
    | Mlockall
    | Munlockall
    | Mmap
    | Munmap
    | Mprotect
    | Mremap
    | RemapFilePages
    | Brk
    | Truncate
    | Touch
    | GetUserPages
    | ReadMaps
    | Fork
    | Kill
    | Hold,
    Field(discriminator="call"),
]


class TaskGroup(Part):
    """Tasks that run the same program: a class of the results.

    Attributes
    ----------
    name : class name; its tasks are "name 0", "name 1", ...
    count : how many tasks
    calls : the program, in order
    repeats : times through it; 0 is for ever
    start_ns, start : delay before the first call, and its distribution
    cpu : the one CPU that the tasks may use; None: any
    realtime : the tasks run before all that are not real-time (SCHED_FIFO)
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


class Published(Part):
    """A figure that somebody else reported of the case that the scenario models.

    Attributes
    ----------
    task : the group that it is about
    quantity : "longest call", "median round" (s: once through its calls), "calls per second" or
        "rounds per second" (1/s, a task's average)
    value : the figure, in `unit`
    value_to : its upper end, where `value` is the lower end of a range
    unit : "s" or "1/s"
    words : what the source says, where the figure is a reading of it
    source : who reported it, where
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


def known_keys(model: type) -> dict[str, list[str]]:
    """The keys of each table, as `explain` wants them, for an error found in a `model`."""
    tables: dict[str, type[BaseModel]] = {
        "regions": Region,
        "tasks": TaskGroup,
        "published": Published,
        "mlock": Mlock,
        "populate": Populate,
        "munlock": Munlock,
        "mlockall": Mlockall,
        "munlockall": Munlockall,
        "mmap": Mmap,
        "munmap": Munmap,
        "mprotect": Mprotect,
        "mremap": Mremap,
        "remap_file_pages": RemapFilePages,
        "brk": Brk,
        "truncate": Truncate,
        "touch": Touch,
        "get_user_pages": GetUserPages,
        "read_maps": ReadMaps,
        "fork": Fork,
        "kill": Kill,
        "hold": Hold,
        "": model,
    }
    return {name: list(table.model_fields) for name, table in tables.items()}
