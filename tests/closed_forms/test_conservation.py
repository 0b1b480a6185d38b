"""After every run, the pages, the charges and the VMAs agree with one another."""

import numpy as np
from hypothesis import given

from rfcsim.clock.machine import Machine
from rfcsim.model.layout import backing, bit, mm, vm, vma
from tests.twin.engine import run_engine
from tests.twin.strategies import Case, cases


def vmas(machine: Machine) -> np.ndarray:
    return machine.state.vmas[: machine.state.mm[mm.MAP_COUNT]]


def covered(machine: Machine, which: np.ndarray) -> np.ndarray:
    """Whether each page lies in one of these VMAs: bool[pages]."""
    inside = np.zeros(len(machine.state.pages), bool)
    for row in vmas(machine)[which]:
        inside[row[vma.START] : row[vma.END]] = True
    return inside


def pages_with(machine: Machine, flag: int) -> np.ndarray:
    return machine.state.pages & flag != 0


@given(cases())
def test_vmas_are_in_order_and_what_they_charge_is_what_is_charged(case: Case):
    machine = run_engine(*case)
    rows = vmas(machine)
    sizes = rows[:, vma.END] - rows[:, vma.START]
    locked = rows[:, vma.FLAGS] & vm.LOCKED != 0
    assert (sizes > 0).all()
    assert (rows[1:, vma.START] >= rows[:-1, vma.END]).all()
    assert machine.state.mm[mm.TOTAL_VM] == sizes.sum()
    assert machine.state.mm[mm.LOCKED_VM] == sizes[locked].sum()


@given(cases())
def test_present_pages_are_mapped_and_mlocked_pages_are_locked(case: Case):
    machine = run_engine(*case)
    rows = vmas(machine)
    present = pages_with(machine, bit.PRESENT)
    zero = pages_with(machine, bit.ZERO)
    mlocked = pages_with(machine, bit.MLOCKED)
    assert not (present & ~covered(machine, rows[:, vma.END] > 0)).any()
    assert not (mlocked & ~covered(machine, rows[:, vma.FLAGS] & vm.LOCKED != 0)).any()
    assert not (mlocked & (~present | zero)).any()
    anonymous = covered(machine, rows[:, vma.BACKING] == backing.ANON)
    assert not (zero & ~(present & anonymous)).any()
    assert not (pages_with(machine, bit.COW) & ~(present & anonymous & ~zero)).any()


@given(cases())
def test_file_pages_are_read_before_they_are_mapped(case: Case):
    machine = run_engine(*case)
    present = pages_with(machine, bit.PRESENT)
    cached = pages_with(machine, bit.CACHED)
    file = covered(machine, vmas(machine)[:, vma.BACKING] == backing.FILE)
    assert not (present & file & ~cached).any()
    assert not (cached & pages_with(machine, bit.PAST_EOF)).any()
    assert not pages_with(machine, bit.READING).any()
