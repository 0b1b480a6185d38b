"""The core scenarios: what else happens while an mlock() of everything is under way.

At the start, one anonymous, writable mapping covers every page. No page is present or locked, and
nothing limits what may be locked. The *part* is all pages except the first and the last.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple


class Call(NamedTuple):
    """A system call on some pages, or a write to one page by the program itself (`touch`)."""

    name: Literal["mlock", "munlock", "munmap", "mmap", "touch"]
    start: int
    pages: int

    @property
    def interferes(self) -> bool:
        """Whether the call takes back what an mlock() of these pages promises."""
        return self.name in ("munlock", "munmap", "mmap")


Task = tuple[Call, ...]


def munlock_all(pages: int) -> tuple[Task, ...]:
    return ((Call("mlock", 0, pages),), (Call("munlock", 0, pages),))


def munlock_part(pages: int) -> tuple[Task, ...]:
    return ((Call("mlock", 0, pages),), (Call("munlock", 1, pages - 2),))


def munmap_all(pages: int) -> tuple[Task, ...]:
    return ((Call("mlock", 0, pages),), (Call("munmap", 0, pages),))


def munmap_part(pages: int) -> tuple[Task, ...]:
    return ((Call("mlock", 0, pages),), (Call("munmap", 1, pages - 2),))


def remap_part(pages: int) -> tuple[Task, ...]:
    """The part is unmapped and mapped again, in two calls."""
    again = (Call("munmap", 1, pages - 2), Call("mmap", 1, pages - 2))
    return ((Call("mlock", 0, pages),), again)


def replace_part(pages: int) -> tuple[Task, ...]:
    """The part is mapped again over the old mapping, in one call."""
    return ((Call("mlock", 0, pages),), (Call("mmap", 1, pages - 2),))


def second_mlock(pages: int) -> tuple[Task, ...]:
    return ((Call("mlock", 0, pages),), (Call("mlock", 0, pages),))


def two_munlocks(pages: int) -> tuple[Task, ...]:
    """One task unlocks all pages but the last, the other all but the first."""
    return (
        (Call("mlock", 0, pages),),
        (Call("munlock", 0, pages - 1),),
        (Call("munlock", 1, pages - 1),),
    )


def toucher(pages: int) -> tuple[Task, ...]:
    """The program writes to the last page, which mlock() reaches last."""
    return ((Call("mlock", 0, pages),), (Call("touch", pages - 1, 1),))


def hole(pages: int) -> tuple[Task, ...]:
    """No race at all: the part is unmapped before the mlock(), by the same task."""
    return ((Call("munmap", 1, pages - 2), Call("mlock", 0, pages)),)


def crowd(pages: int) -> tuple[Task, ...]:
    """Five tasks at once."""
    return (
        (Call("mlock", 0, pages),),
        (Call("mlock", 0, pages),),
        (Call("munlock", 1, pages - 2),),
        (Call("mmap", 1, pages - 2),),
        (Call("touch", 1, 1),),
    )


SCENARIOS: dict[str, Callable[[int], tuple[Task, ...]]] = {
    "munlock all": munlock_all,
    "munlock part": munlock_part,
    "munmap all": munmap_all,
    "munmap part": munmap_part,
    "remap part": remap_part,
    "replace part": replace_part,
    "second mlock": second_mlock,
    "two munlocks": two_munlocks,
    "toucher": toucher,
    "hole": hole,
    "crowd": crowd,
}
"""Name -> the tasks for a number of pages; each task makes its calls one after another."""
