"""The calls that a program can make. Memory is in pages of 4 KiB; the names of times say ns."""

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

CLASSES: dict[str, type[BaseCall]] = {
    kind.model_fields["call"].default: kind for kind in get_args(get_args(Call)[0])
}
require_all(vars(), CLASSES, call_number.NAMES[1:], "put its class into Call")
