"""Which kernel has which design and which lock: the eras of mmap_sem and mlock()."""

import re
from typing import Any, NamedTuple

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.scenario.explain import did_you_mean, show
from rfcsim.scenario.scenario import Design, LockPolicy


class _Era(NamedTuple):
    """Kernels of one design and one lock policy, from version `kernel` to version `to`."""

    kernel: str
    to: str
    design: Design
    lock_policy: LockPolicy
    change: str

    @property
    def span(self) -> str:
        """ "5.3 to 5.10"."""
        return self.kernel if self.kernel == self.to else f"{self.kernel} to {self.to}"


# 2.6.37 is in no era: its faults retry, but its mlock() is that of 2.6.36. Nor are 5.18 to 6.3:
# their mlock() walks the pages that are present, but their faults still take mmap_sem.
_ERAS = (
    _Era(
        "2.6.28",
        "2.6.28",
        "downgrade",
        "fifo",
        "mlock() downgrades the lock to populate (8edb08caf68)",
    ),
    _Era(
        "2.6.29",
        "2.6.36",
        "exclusive",
        "fifo",
        "the downgrade is reverted (27421e211a3): flags and pages under one exclusive hold",
    ),
    _Era(
        "RFC",
        "RFC",
        "batched",
        "fifo",
        "November 2010: pages in a second pass, a shared hold for 256 of them; not merged",
    ),
    _Era(
        "RFC v2",
        "RFC v2",
        "contended",
        "fifo",
        "December 2010: given up when contended or for the disk; the former not merged",
    ),
    _Era(
        "2.6.38",
        "3.8",
        "fault-retry",
        "fifo",
        "the second pass is merged: one shared hold, given up for the disk (fed067da46a)",
    ),
    _Era(
        "3.9",
        "5.2",
        "mm-populate",
        "writer-stealing",
        "mm_populate() for mmap() and its kin; writers steal (ce6711f3d196)",
    ),
    _Era(
        "5.3",
        "5.10",
        "mm-populate",
        "hand-off",
        "the rwsem is rewritten: hand-off bit, all readers wake at once (d3681e269fff)",
    ),
    _Era(
        "5.11",
        "5.17",
        "mm-populate",
        "reader-stealing",
        "readers steal (1a728dff855a, 617f3ef95177)",
    ),
    _Era(
        "6.4",
        "6.19",
        "vma-lock",
        "reader-stealing",
        "page faults take the lock of their VMA; since 5.18 mlock() walks the pages that are there",
    ),
)


def kernels() -> pl.DataFrame:
    """List the kernels that the model knows, and how they differ.

    Returns
    -------
    polars.DataFrame
        One row per era: kernel (the first, or "RFC" or "RFC v2", which were never merged), to (the
        last), design, lock_policy, change (what was new, with its commit where it is known).
    """
    return pl.DataFrame(_ERAS, list(_Era._fields), orient="row")


def kernel(version: str) -> dict[str, Any]:
    """The design and the lock policy of a kernel, as `Scenario.replace` and `sweep` take them.

    ``scenario.replace(**kernel("5.15"))`` is the scenario on 5.15.

    Parameters
    ----------
    version : str
        "2.6.36", "5.15", ..., or "RFC" or "RFC v2".

    Returns
    -------
    dict
        design and lock_policy.

    Raises
    ------
    RfcsimError
        One line, if the model has no such kernel.
    """
    for era in _ERAS:
        if version == era.kernel or _lies_in(version, era):
            return {"design": era.design, "lock_policy": era.lock_policy}
    if _numbers(version):
        known = ", ".join(era.span for era in _ERAS)
        raise RfcsimError(f"kernel {show(version)}: must be one of {known}")
    names = [era.kernel for era in _ERAS]
    raise RfcsimError(f"kernel {show(version)}: there is none; {did_you_mean(version, names)}")


def kernels_with(design: str, lock_policy: str) -> str | None:
    """The kernels that have both, such as "5.3 to 5.10"; None if there are none."""
    for era in _ERAS:
        if (era.design, era.lock_policy) == (design, lock_policy):
            return era.span
    return None


def _lies_in(version: str, era: _Era) -> bool:
    asked, first, last = map(_numbers, (version, era.kernel, era.to))
    # A stable release, such as 5.10.7, counts as its series, 5.10.
    return bool(asked and first and last) and first <= asked and asked[: len(last)] <= last


def _numbers(version: str) -> tuple[int, ...]:
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}", version):
        return ()
    return tuple(int(number) for number in version.split("."))
