"""The search over small address spaces finds by itself what history found the hard way."""

import polars as pl
import pytest

from rfcsim import sequential_differences
from rfcsim.model.layout import call, design, flag
from rfcsim.race.differences import Case, differences, run_case


@pytest.fixture(scope="module")
def found() -> pl.DataFrame:
    return sequential_differences(3)


@pytest.mark.parametrize(
    ("name", "space", "original", "patched"),
    [
        # 8.2: mlockall begins to fail, and leaves what comes later unpopulated (5.2).
        ("mlockall", "PROT_NONE", "0: L", "-12: L"),
        ("mlockall", "PROT_NONE, ordinary", "0: L Lpm", "-12: L L"),
        # 8.2 (a): a hole; (b): an error in the middle; (c): a retry; (d): locked already.
        ("mlock", "ordinary, hole", "-12: Lpm .", "-12: L ."),
        ("mlock", "PROT_NONE, ordinary", "-12: L .", "-12: L L"),
        ("mlock", "locked PROT_NONE", "0: L", "-12: L"),
        ("mlock", "locked", "0: L", "0: Lpm"),
    ],
)
def test_the_oddities_of_the_diff_are_found(
    found: pl.DataFrame, name: str, space: str, original: str, patched: str
) -> None:
    row = (name, space, original, patched)
    assert row in found.select("call", "address space", "original", "patched").rows()


def test_munlock_is_the_same_in_both_designs() -> None:
    assert list(differences(3, {call.MUNLOCK: 0})) == []


def test_memory_without_oddities_is_locked_alike() -> None:
    plain = ("ordinary", "read-only", "special")
    for number, arg in ((call.MLOCK, 0), (call.MLOCKALL, flag.MCL_CURRENT)):
        case = Case(plain, number, 0, 3, arg)
        assert run_case(case, design.EXCLUSIVE) == run_case(case, design.BATCHED)
