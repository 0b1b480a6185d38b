"""The canonical line for the outcome of a run, so that two judges can be compared.

    ret=0,-ENOMEM pages=1Lpm .--- 2--- lv=1

- `ret`: what each call returned, by task and then in the order of the task's calls; an error by
  its name, anything else (the page that `mmap` returns) in decimal.
- `pages`, from page 0 on, each of four characters: the identity of the mapping that covers it (1
  is the one that is there at the start, each `mmap` takes the next; `.` if none does), then `L` in
  a VM_LOCKED VMA, `p` present, `m` PageMlocked, or `-` in place of each.
- `lv`: `locked_vm`, in pages.
"""

import errno
import re
from typing import NamedTuple

VALUE = r"(?:0|[1-9]\d*|-E[A-Z]+)"
PAGE = r"[1-9.][L-][p-][m-]"
LINE = re.compile(rf"ret=({VALUE}(?:,{VALUE})*) pages=({PAGE}(?: {PAGE})*) lv=(0|[1-9]\d*)")


class Page(NamedTuple):
    """The final state of one page."""

    identity: int
    """The identity of the mapping that covers it; 0 if none does."""
    vm_locked: bool
    present: bool
    mlocked: bool


class Outcome(NamedTuple):
    """The state in which every call has returned."""

    returned: tuple[int, ...]
    """What each call returned; an error is the negative of its number."""
    pages: tuple[Page, ...]
    locked_vm_pages: int


def format_outcome(outcome: Outcome) -> str:
    """The canonical line of an outcome."""
    returned = ",".join(map(_format_value, outcome.returned))
    pages = " ".join(map(_format_page, outcome.pages))
    return f"ret={returned} pages={pages} lv={outcome.locked_vm_pages}"


def parse_outcome(line: str) -> Outcome:
    """The outcome for which a canonical line stands; ValueError if the line is not canonical."""
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not the canonical line of an outcome: {line!r}")
    returned, pages, locked_vm = match.groups()
    return Outcome(
        returned=tuple(_parse_value(value) for value in returned.split(",")),
        pages=tuple(_parse_page(page) for page in pages.split(" ")),
        locked_vm_pages=int(locked_vm),
    )


def without_residue(outcome: Outcome) -> Outcome:
    """The outcome, without saying which pages that nobody holds locked are present.

    Reclaim may take such a page at any time, so no caller can rely on it.
    """
    pages = (page._replace(present=page.present and page.vm_locked) for page in outcome.pages)
    return outcome._replace(pages=tuple(pages))


def _format_value(value: int) -> str:
    return f"-{errno.errorcode[-value]}" if value < 0 else str(value)


def _parse_value(text: str) -> int:
    return -getattr(errno, text[1:]) if text.startswith("-") else int(text)


def _format_page(page: Page) -> str:
    flags = zip("Lpm", (page.vm_locked, page.present, page.mlocked), strict=True)
    identity = str(page.identity) if page.identity else "."
    return identity + "".join(letter if flag else "-" for letter, flag in flags)


def _parse_page(text: str) -> Page:
    identity, vm_locked, present, mlocked = text
    number = 0 if identity == "." else int(identity)
    return Page(number, vm_locked == "L", present == "p", mlocked == "m")
