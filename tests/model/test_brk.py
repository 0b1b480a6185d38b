"""`brk`: the heap's end, and its growth under mlockall(MCL_FUTURE) (kernel-facts 3)."""

from rfcsim.model.layout import call, effect, lock, mm, vm, vma, work
from tests.model.walk import address_space, layout, mlocked, moves, present, value_of


def brk(state, pages):
    return value_of(state, call.BRK, 10, pages)


def test_a_heap_begins_grows_and_shrinks():
    state = address_space((2, 4))
    assert brk(state, 3) == 13 and brk(state, 6) == 16
    assert layout(state) == [(2, 4, False), (10, 16, False)]
    value_of(state, call.TOUCH, 15, 1, arg=1)
    assert brk(state, 6) == 16
    assert brk(state, 2) == 12
    assert layout(state)[1] == (10, 12, False) and present(state) == []
    assert state.mm[mm.TOTAL_VM] == 4
    assert brk(state, 0) == 10 and layout(state) == [(2, 4, False)]


def test_failure_shows_in_the_end_that_stays():
    state = address_space((10, 12), (16, 18))
    assert brk(state, 6) == 12, "a page must stay free behind the heap"
    assert brk(state, 5) == 15
    state = address_space((10, 12))
    assert brk(state, 60) == 12, "behind the address space"
    state.mm[mm.MAX_MAP_COUNT] = 0
    assert brk(state, 4) == 12


def test_what_is_locked_in_part_is_still_one_heap():
    state = address_space((10, 16))
    value_of(state, call.MLOCK, 14, 2)
    assert brk(state, 8) == 18
    assert layout(state) == [(10, 14, False), (14, 16, True), (16, 18, False)]
    assert {int(row[vma.IDENTITY]) for row in state.vmas[:3]} == {1}
    assert brk(state, 3) == 13
    assert layout(state) == [(10, 13, False)] and state.mm[mm.LOCKED_VM] == 0


def test_growth_under_mcl_future_is_populated_under_the_exclusive_hold():
    state = address_space((10, 12))
    state.mm[mm.DEF_FLAGS] = vm.LOCKED
    assert list(moves(state, 0, call.BRK, 10, 3)) == [
        (effect.CPU, work.SYSCALL, 1),
        (effect.DOWN, lock.EXCLUSIVE, 0),
        (effect.CPU, work.VMA_CHANGE, 1),
        (effect.CPU, work.MLOCK_ANON, 1),
        (effect.UP, lock.EXCLUSIVE, 0),
        (effect.DONE, 13, 0),
    ]
    assert layout(state) == [(10, 12, False), (12, 13, True)] and mlocked(state) == [12]
    state.mm[mm.LOCK_LIMIT] = 2
    assert brk(state, 5) == 13
    assert brk(state, 4) == 14 and state.mm[mm.LOCKED_VM] == 2
    assert layout(state) == [(10, 12, False), (12, 14, True)]
