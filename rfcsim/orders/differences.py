"""The smallest calls for which the patch and the original differ, with no other task there."""

import polars as pl

from rfcsim.model.layout import bit, call, flag, vm
from rfcsim.race.differences import KINDS, Difference, differences
from rfcsim.race.outcomes import Outcome

_CALLS = {call.MLOCK: 0, call.MUNLOCK: 0, call.MLOCKALL: flag.MCL_CURRENT}
_SCHEMA = {
    "call": pl.String(),
    "range": pl.String(),
    "address space": pl.String(),
    "original": pl.String(),
    "patched": pl.String(),
    "differs in": pl.String(),
    "cases": pl.Int64(),
}


def sequential_differences(pages: int = 3) -> pl.DataFrame:
    """Try every call on every small address space under both designs, and keep the differences.

    Every page is a hole, ordinary memory, PROT_NONE, read-only, already locked (ordinary or
    PROT_NONE), special (VM_DONTEXPAND) or of a device (VM_IO). No page is present. Every range is
    tried.

    Parameters
    ----------
    pages : int
        The largest address space, in pages: 1 to 4.

    Returns
    -------
    polars.DataFrame
        One row per way to differ, with its smallest example: call, range (in pages), address space
        (the kind of each page), original and patched (what the call returned, then each page: "L"
        if VM_LOCKED, "p" present, "m" mlocked), differs in (value, locked_vm, flags, pages), cases
        (how many there are in all).
    """
    smallest: dict[tuple[str, ...], Difference] = {}
    cases: dict[tuple[str, ...], int] = {}
    for size in range(1, pages + 1):
        for found in differences(size, _CALLS):
            way = _way(found)
            cases[way] = cases.get(way, 0) + 1
            if way not in smallest or _plainness(found) < _plainness(smallest[way]):
                smallest[way] = found
    rows = [
        (
            call.NAMES[found.case.call],
            f"[{found.case.start}, {found.case.start + found.case.pages})",
            ", ".join(found.case.kinds),
            _text(found.original),
            _text(found.patched),
            ", ".join(way[3:]),
            cases[way],
        )
        for way, found in smallest.items()
    ]
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _way(found: Difference) -> tuple[str, ...]:
    """The kind of a difference: the call, both values, and what differs in the state."""
    original, patched = found.original, found.patched
    parts = {
        "value": (original.results, patched.results),
        "locked_vm": (original.locked_vm, patched.locked_vm),
        "flags": tuple([page[:2] for page in end.pages] for end in (original, patched)),
        "pages": tuple([page[2] for page in end.pages] for end in (original, patched)),
    }
    differs = [name for name, (ours, theirs) in parts.items() if ours != theirs]
    values = (str(original.results[0]), str(patched.results[0]))
    return (call.NAMES[found.case.call], *values, *differs)


def _plainness(found: Difference) -> tuple[int, int, int]:
    """A sort key: the fewest pages first, then the fewest kinds of page, then the plainest."""
    kinds = found.case.kinds
    order = ["hole", *KINDS]
    return len(kinds), len(set(kinds)), sum(order.index(kind) for kind in kinds)


def _text(end: Outcome) -> str:
    pages = " ".join(
        ("L" if flags & vm.LOCKED else "")
        + ("p" if bits & bit.PRESENT else "")
        + ("m" if bits & bit.MLOCKED else "")
        or "."
        for _, flags, bits in end.pages
    )
    return f"{end.results[0]}: {pages}"
