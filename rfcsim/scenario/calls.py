"""The calls that a program can make.

Memory is counted in pages of 4 KiB, time in nanoseconds; the names say which.
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StrictBool, model_validator

from rfcsim.model.layout import call as call_number
from rfcsim.model.layout.complete import require_all
from rfcsim.scenario.checked import (
    Checked,
    Distribution,
    Name,
    Nanoseconds,
    Offset,
    Pages,
    Protection,
)


class BaseCall(Checked):
    """What every call has: how long its task thinks before it, constant or drawn at random."""

    think_ns: Nanoseconds = 0
    think: Distribution = "constant"


class RangeCall(BaseCall):
    """A call on pages of a region; with `pages` None, on all its pages from `offset_pages` on.

    A range may run past the end of its region, into what lies behind it, but not past the end of
    the address space.
    """

    region: Name
    offset_pages: Offset = 0
    pages: Pages | None = None


class PiecesCall(RangeCall):
    """A call that a program may make piece by piece.

    `piece_pages` is the number of pages per call; None means one call for the whole range. The
    program pauses for `pause_ns` between two calls, and stops if one fails.
    """

    piece_pages: Pages | None = None
    pause_ns: Nanoseconds = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pause_ns and self.piece_pages is None:
            raise ValueError(f"pause_ns = {self.pause_ns}: only with piece_pages")
        return self


class Mlock(PiecesCall):
    """mlock() of a range; with `on_fault`, mlock2(MLOCK_ONFAULT), which populates nothing."""

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
    """mremap() of a range to `new_pages` pages; None keeps its size.

    With `to_region`, the range moves to `to_offset_pages` in that region (MREMAP_FIXED), over what
    is mapped there. Otherwise it grows where it is or, with `may_move`, moves to the lowest hole.
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

    It maps a part of the file that does not lie there by file order; which part does not matter.
    The file is like those of tmpfs: the pages of other files are remapped as mmap() would do it.
    From 4.0 on, the kernel remaps every file that way: under the design "vma-lock", call mmap()
    with `populate` instead.
    """

    call: Literal["remap_file_pages"] = "remap_file_pages"
    nonblock: StrictBool = False


class Brk(BaseCall):
    """brk() that sets the heap to `pages` pages; the heap begins where its region does."""

    call: Literal["brk"] = "brk"
    region: Name
    pages: Offset


class Truncate(RangeCall):
    """ftruncate() of the file behind a range: the file then ends where the range begins."""

    call: Literal["truncate"] = "truncate"


class Touch(RangeCall):
    """An access by the program itself to one page of a range: the first, any, or the next one."""

    call: Literal["touch"] = "touch"
    write: StrictBool = True
    pick: Literal["fixed", "random", "sequential"] = "fixed"


class GetUserPages(RangeCall):
    """get_user_pages() on a range, as in an O_DIRECT read into it (`write`) or a write from it.

    Below a stack, it lets the stack grow, as a page fault does.
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
    """A fatal signal to task `number` (from 0) of the group `task`; it makes no further call."""

    call: Literal["kill"] = "kill"
    task: Name
    number: Offset = 0


class Hold(BaseCall):
    """Any other use of mmap_sem: the task takes it in `mode` and holds it for `hold_ns`."""

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

CLASSES: dict[str, type[BaseCall]] = {
    kind.model_fields["call"].default: kind for kind in get_args(get_args(Call)[0])
}
require_all(vars(), CLASSES, call_number.NAMES[1:], "put its class into Call")
