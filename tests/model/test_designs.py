"""What each design does with the lock, effect by effect, where it differs from the others."""

import pytest

from rfcsim.model.layout import (
    backing,
    bit,
    call,
    effect,
    errno,
    flag,
    lock,
    mm,
    reg,
    sem,
    vm,
    vma,
    work,
)
from rfcsim.model.layout import design as designs
from rfcsim.model.rwsem import down
from rfcsim.model.step import begin
from tests.model.walk import (
    READ_WRITE,
    address_space,
    at_release,
    layout,
    mlocked,
    moves,
    present,
    value_of,
)

MERGED = ("fault-retry", "mm-populate", "vma-lock")


def space(design, *vmas, batch=4):
    state = address_space(*vmas)
    state.mm[mm.DESIGN] = designs.BY_NAME[design]
    state.mm[mm.BATCH_PAGES] = batch
    return state


def holds(state, this_call, *args, **more):
    """The lock operations of a call that nobody disturbs: X and S to take, x and s to release."""
    names = {(effect.DOWN, lock.EXCLUSIVE): "X", (effect.DOWN, lock.SHARED): "S"}
    names |= {(effect.UP, lock.EXCLUSIVE): "x", (effect.UP, lock.SHARED): "s"}
    names |= {(effect.DOWNGRADE, lock.SHARED): "d"}
    asked = moves(state, 0, this_call, *args, **more)
    return "".join(names.get((kind, a), "") for kind, a, _ in asked)


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("exclusive", "Xx"),
        ("downgrade", "XdsXdsXx"),  # each VMA by itself, and the walk goes on exclusively
        ("batched", "Xx" + "Ss" * 3),  # two batches of the first VMA, one of the second
        ("contended", "XxSs"),  # nobody waits: one hold
        *((design, "XxSs") for design in MERGED),
    ],
)
def test_the_holds_of_an_mlock_over_two_vmas(design, expected):
    state = space(design, (0, 6), (6, 9, vm.READ))
    assert holds(state, call.MLOCK, 0, 9) == expected
    assert present(state) == list(range(9)) and mlocked(state) == list(range(6))
    assert state.mm[mm.LOCKED_VM] == 9


@pytest.mark.parametrize("design", list(designs.BY_NAME))
def test_the_hold_of_a_munmap_is_shared_while_it_visits_the_pages_since_4_20(design):
    downgrades = design == "vma-lock"
    operations = {effect.DOWN: "X", effect.DOWNGRADE: "d", effect.UP: "u"}
    pages = {work.MUNLOCK_PAGE: "m", work.UNMAP_PAGE: "p"}
    state = space(design, (0, 3, READ_WRITE | vm.LOCKED), (3, 5))
    state.mm[mm.LOCKED_VM] = 3
    seen = ""
    for kind, a, _ in moves(state, 0, call.MUNMAP, 1, 4):
        seen += pages.get(a, "") if kind == effect.CPU else operations.get(kind, "")
        if kind == effect.DOWNGRADE:
            assert layout(state) == [(0, 1, True)] and state.mm[mm.LOCKED_VM] == 1
    assert seen == ("Xmmdppppu" if downgrades else "Xmmppppu")
    assert not state.sem.any()


@pytest.mark.parametrize(("start", "pages"), [(0, 0), (5, 2)])
def test_a_munmap_of_nothing_downgrades_nothing(start, pages):
    assert holds(space("vma-lock", (0, 3)), call.MUNMAP, start, pages) == "Xx"


def test_a_munmap_below_a_stack_does_not_downgrade():
    state = space("vma-lock", (0, 3), (4, 5, READ_WRITE | vm.GROWSDOWN))
    assert holds(state, call.MUNMAP, 0, 3) == "Xx"
    assert holds(space("vma-lock", (0, 3), (4, 5)), call.MUNMAP, 0, 3) == "Xds"


def test_what_mmap_unmaps_it_unmaps_exclusively():
    assert holds(space("vma-lock", (0, 3)), call.MMAP, 0, 3, READ_WRITE) == "Xx"


def test_a_contended_hold_ends_after_each_page():
    state = space("contended", (0, 3))
    kinds = []
    for kind, a, _ in moves(state, 0, call.MLOCK, 0, 3):
        kinds.append(kind)
        if kind == effect.DOWN and a == lock.SHARED:
            assert not down(state, 1, lock.EXCLUSIVE)
        elif kind == effect.UP and a == lock.SHARED:
            assert state.sem[sem.WRITER] == 2, "the waiter has it"
            state.sem[sem.WRITER] = 0
            state.tasks[1] = 0
    assert kinds.count(effect.DOWN) == 1 + 3 and present(state) == [0, 1, 2]


@pytest.mark.parametrize("design", ["contended", *MERGED])
def test_the_disk_is_waited_for_without_the_lock(design):
    state = space(design, (0, 5, READ_WRITE, backing.FILE))
    effects = [kind for kind, _, _ in moves(state, 0, call.MLOCK, 0, 5)]
    assert effect.SUBMIT in effects and present(state) == list(range(5))
    # The disk of this test is done at once. Now look at a read that is not.
    state = space(design, (0, 5, READ_WRITE, backing.FILE))
    for kind, _, _ in moves(state, 0, call.MLOCK, 0, 5, reads=False):
        if kind == effect.WAIT_PAGE:
            assert state.sem.sum() == 0, "nobody holds the lock"
            break
    else:
        pytest.fail("never waited")


def test_before_that_the_disk_is_waited_for_under_the_lock():
    state = space("batched", (0, 5, READ_WRITE, backing.FILE))
    for kind, _, _ in moves(state, 0, call.MLOCK, 0, 5, reads=False):
        if kind == effect.WAIT_PAGE:
            assert state.sem.sum() == 1
            break


@pytest.mark.parametrize("design", ["exclusive", "batched", *MERGED])
def test_a_page_fault_gives_the_lock_up_once_for_the_disk(design):
    state = space(design, (0, 1, READ_WRITE, backing.FILE))
    kinds = []
    for kind, _, _ in moves(state, 0, call.TOUCH, 0, 1, arg=1, reads=False):
        kinds.append(kind)
        if kind == effect.WAIT_PAGE:
            break
    assert kinds.count(effect.UP) == (1 if design in ("fault-retry", "mm-populate") else 0)
    assert kinds.count(effect.DOWN) == (0 if design == "vma-lock" else 1)


def test_a_fault_takes_the_lock_of_its_vma_alone_unless_a_call_is_changing_it():
    state = space("vma-lock", (0, 4), (4, 8))
    assert holds(state, call.TOUCH, 1, 1, 1) == ""
    begin(state, 1, call.MUNLOCK, 0, 4, 0, 0)
    assert down(state, 1, lock.EXCLUSIVE)
    assert (state.tasks[1, reg.START], state.tasks[1, reg.END]) == (0, 4)
    assert holds(state, call.TOUCH, 5, 1, 1) == "", "another VMA"
    with pytest.raises(AssertionError):  # it asks for mmap_sem, which is taken
        list(moves(state, 0, call.TOUCH, 2, 1, 1))
    state.sem[:] = 0
    assert holds(state, call.TOUCH, 9, 1, 1) == "Ss", "no VMA: the slow path says so"
    assert value_of(state, call.TOUCH, 9, 1, 1) == errno.EFAULT


@pytest.mark.parametrize(("design", "pages"), [("batched", []), *((d, [0, 1]) for d in MERGED)])
def test_a_vma_that_is_unlocked_in_between_is_still_populated_from_2_6_38_on(design, pages):
    state = space(design, (0, 2))
    at_release(
        state,
        1,
        call.MLOCK,
        0,
        2,
        then=lambda: value_of(state, call.MUNLOCK, 0, 2, task=1),
    )
    assert present(state) == pages and mlocked(state) == []


@pytest.mark.parametrize(
    ("design", "value"), [("batched", errno.ENOMEM), *((d, 0) for d in MERGED)]
)
def test_mlockall_hides_errors_from_2_6_38_on(design, value):
    state = space(design, (0, 2), (3, 4, 0), (5, 7))
    assert value_of(state, call.MLOCKALL, 0, 64, flag.MCL_CURRENT) == value
    assert present(state) == ([0, 1] if value else [0, 1, 5, 6])


@pytest.mark.parametrize(("design", "expected"), [("fault-retry", "Xx"), ("mm-populate", "XxSs")])
def test_from_3_9_on_what_is_mapped_is_populated_after_the_exclusive_hold(design, expected):
    for this_call, args in (
        (call.MMAP, (10, 4, READ_WRITE | vm.LOCKED)),
        (call.BRK, (2, 5)),
        (call.MREMAP, (2, 2, 6, flag.MREMAP_MAYMOVE)),
    ):
        state = space(design, (2, 4, READ_WRITE | vm.LOCKED))
        if this_call == call.BRK:
            state.mm[mm.DEF_FLAGS] = vm.LOCKED
        assert holds(state, this_call, *args) == expected
        grown = {call.MMAP: (10, 14), call.BRK: (4, 7), call.MREMAP: (4, 8)}[this_call]
        assert present(state) == list(range(*grown)) == mlocked(state)
        assert state.mm[mm.LOCKED_VM] == 2 + grown[1] - grown[0]


def test_between_the_hold_and_the_populating_a_mapping_can_go():
    state = space("mm-populate")
    value = at_release(
        state, 1, call.MMAP, 10, 4, READ_WRITE | vm.LOCKED,
        then=lambda: value_of(state, call.MUNMAP, 10, 4, task=1),
    )  # fmt: skip
    assert value == 10 and layout(state) == [] and present(state) == []


def test_2_6_28_takes_another_mapping_for_its_own():
    """If its VMA is gone it finds the next one, and goes on behind that without locking it."""
    state = space("downgrade", (0, 4), (4, 8, vm.READ))
    value = at_release(
        state,
        1,
        call.MLOCK,
        0,
        8,
        then=lambda: value_of(state, call.MUNMAP, 0, 4, task=1),
    )
    assert value == 0 and layout(state) == [(4, 8, False)]
    state = space("downgrade", (0, 4))
    value = at_release(
        state,
        1,
        call.MLOCK,
        0,
        4,
        then=lambda: value_of(state, call.MUNMAP, 2, 2, task=1),
    )
    assert value == errno.ENOMEM and layout(state) == [(0, 2, True)]


def test_the_first_pass_marks_what_is_present_from_5_18_on():
    state = space("vma-lock", (0, 6))
    state.pages[[1, 2, 4]] = bit.PRESENT
    visits = []
    for kind, a, b in moves(state, 0, call.MLOCK, 0, 6):
        if kind == effect.UP:
            break
        if kind == effect.CPU and a == work.MLOCK_PRESENT:
            visits.append(b)
    assert visits == [1, 1, 1] and mlocked(state) == [1, 2, 4]


def test_on_fault_marks_and_populates_nothing_and_a_fault_does():
    state = space("vma-lock", (0, 6))
    assert value_of(state, call.MLOCK, 0, 6, flag.MLOCK_ONFAULT) == 0
    assert present(state) == [] and state.mm[mm.LOCKED_VM] == 6
    assert value_of(state, call.POPULATE, 0, 3) == 0
    assert present(state) == [0, 1, 2] == mlocked(state)
    assert value_of(state, call.MLOCK, 0, 6) == 0
    assert present(state) == list(range(6)) and state.mm[mm.LOCKED_VM] == 6
    assert value_of(state, call.MUNLOCK, 0, 6) == 0
    assert state.vmas[0, vma.FLAGS] == READ_WRITE and state.mm[mm.LOCKED_VM] == 0


@pytest.mark.parametrize(
    ("vmas", "value"),
    [
        ([(0, 6)], 0),
        ([(0, 2), (4, 6)], errno.ENOMEM),  # a hole
        ([(0, 3, 0), (3, 6)], errno.EINVAL),  # no access
        ([(0, 6, READ_WRITE | vm.IO)], 0),
    ],
)
def test_populate_says_what_it_cannot_do(vmas, value):
    state = space("vma-lock", *vmas)
    assert value_of(state, call.POPULATE, 0, 6) == value
