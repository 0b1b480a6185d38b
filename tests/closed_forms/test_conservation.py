"""After every run the pages, the charges and the VMAs tell the same story."""

import numpy as np
from hypothesis import given

from rfcsim.clock.layout import Machine
from rfcsim.model.layout import (
    BACKING_ANON,
    BACKING_FILE,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_TOTAL_VM,
    PAGE_CACHED,
    PAGE_COW,
    PAGE_MLOCKED,
    PAGE_PAST_EOF,
    PAGE_PRESENT,
    PAGE_READING,
    PAGE_ZERO,
    VM_LOCKED,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
)
from tests.twin.engine import run_engine
from tests.twin.strategies import Case, cases


def vmas(machine: Machine) -> np.ndarray:
    return machine.state.vmas[: machine.state.mm[MM_MAP_COUNT]]


def covered(machine: Machine, which: np.ndarray) -> np.ndarray:
    """Whether each page lies in one of these VMAs: bool[pages]."""
    inside = np.zeros(len(machine.state.pages), bool)
    for vma in vmas(machine)[which]:
        inside[vma[VMA_START] : vma[VMA_END]] = True
    return inside


def pages_with(machine: Machine, flag: int) -> np.ndarray:
    return machine.state.pages & flag != 0


@given(cases())
def test_vmas_are_in_order_and_what_they_charge_is_what_is_charged(case: Case):
    machine = run_engine(*case)
    rows = vmas(machine)
    sizes = rows[:, VMA_END] - rows[:, VMA_START]
    locked = rows[:, VMA_FLAGS] & VM_LOCKED != 0
    assert (sizes > 0).all()
    assert (rows[1:, VMA_START] >= rows[:-1, VMA_END]).all()
    assert machine.state.mm[MM_TOTAL_VM] == sizes.sum()
    assert machine.state.mm[MM_LOCKED_VM] == sizes[locked].sum()


@given(cases())
def test_present_pages_are_mapped_and_mlocked_pages_are_locked(case: Case):
    machine = run_engine(*case)
    rows = vmas(machine)
    present = pages_with(machine, PAGE_PRESENT)
    zero = pages_with(machine, PAGE_ZERO)
    mlocked = pages_with(machine, PAGE_MLOCKED)
    assert not (present & ~covered(machine, rows[:, VMA_END] > 0)).any()
    assert not (mlocked & ~covered(machine, rows[:, VMA_FLAGS] & VM_LOCKED != 0)).any()
    assert not (mlocked & (~present | zero)).any()
    anonymous = covered(machine, rows[:, VMA_BACKING] == BACKING_ANON)
    assert not (zero & ~(present & anonymous)).any()
    assert not (pages_with(machine, PAGE_COW) & ~(present & anonymous & ~zero)).any()


@given(cases())
def test_file_pages_are_read_before_they_are_mapped(case: Case):
    machine = run_engine(*case)
    present = pages_with(machine, PAGE_PRESENT)
    cached = pages_with(machine, PAGE_CACHED)
    file = covered(machine, vmas(machine)[:, VMA_BACKING] == BACKING_FILE)
    assert not (present & file & ~cached).any()
    assert not (cached & pages_with(machine, PAGE_PAST_EOF)).any()
    assert not pages_with(machine, PAGE_READING).any()
