"""`get_user_pages`, and a stack that grows for it."""

import pytest

from rfcsim.model.layout import (
    BACKING_FILE,
    CALL_GET_USER_PAGES,
    CALL_KILL,
    CALL_TOUCH,
    DESIGNS,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EFFECT_WAIT_PAGE,
    ERESTARTSYS,
    MM_DESIGN,
    MM_LOCK_LIMIT,
    MM_LOCKED_VM,
    MM_TOTAL_VM,
    SHARED,
    VM_GROWSDOWN,
    VM_IO,
    VM_LOCKED,
    VM_READ,
    VMA_START,
    WORK_MLOCK_ANON,
    WORK_SYSCALL,
    WORK_VMA_VISIT,
)
from tests.model.walk import READ_WRITE, address_space, mlocked, moves, present, value_of

STACK = READ_WRITE | VM_GROWSDOWN
LOCKED_STACK = STACK | VM_LOCKED


def effects(state, start, pages=1, write=1):
    return list(moves(state, 0, CALL_GET_USER_PAGES, start, pages, write))


def work(asked):
    return [a for kind, a, _ in asked if kind == EFFECT_CPU]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_locked_stack_that_grows_is_populated_in_the_callers_hold(design):
    state = address_space((20, 24, LOCKED_STACK))
    state.mm[MM_DESIGN] = DESIGNS[design]
    asked = effects(state, 16)
    lock = [(kind, a) for kind, a, _ in asked if kind in (EFFECT_DOWN, EFFECT_UP)]
    assert lock == [(EFFECT_DOWN, SHARED), (EFFECT_UP, SHARED)]
    # The guard page, which is the first, is left out of that, and then is the one asked for.
    assert work(asked) == [WORK_SYSCALL, WORK_VMA_VISIT, *[WORK_MLOCK_ANON] * 4]
    assert asked[-1] == (EFFECT_DONE, 1, 0)
    assert present(state) == [16, 17, 18, 19] == mlocked(state)
    assert state.vmas[0, VMA_START] == 16
    assert (state.mm[MM_LOCKED_VM], state.mm[MM_TOTAL_VM]) == (8, 8)


def test_a_page_fault_lets_it_grow_and_populates_nothing_else():
    state = address_space((20, 24, LOCKED_STACK))
    assert value_of(state, CALL_TOUCH, 16, 1, 1) == 0
    assert present(state) == [16] == mlocked(state) and state.vmas[0, VMA_START] == 16


def test_a_stack_that_is_not_locked_grows_by_what_is_asked_for():
    state = address_space((20, 24, STACK))
    assert work(effects(state, 16, 2)) == [WORK_SYSCALL, *[WORK_MLOCK_ANON] * 2]
    assert present(state) == [16, 17] and mlocked(state) == []


def test_the_limit_on_locked_memory_stops_a_stack():
    state = address_space((20, 24, LOCKED_STACK))
    state.mm[MM_LOCK_LIMIT] = 7
    assert value_of(state, CALL_GET_USER_PAGES, 16, 1, 1) == EFAULT
    assert state.vmas[0, VMA_START] == 20 and present(state) == []


@pytest.mark.parametrize(
    ("vma", "start", "value"),
    [
        ((4, 8, READ_WRITE), 4, 4),
        ((4, 8, READ_WRITE), 6, 2),  # as far as it goes
        ((4, 8, READ_WRITE), 3, EFAULT),
        ((4, 8, VM_READ), 4, EFAULT),
        ((4, 8, READ_WRITE | VM_IO), 4, EFAULT),
    ],
)
def test_how_many_pages_it_got(vma, start, value):
    state = address_space(vma)
    assert effects(state, start, 4)[-1] == (EFFECT_DONE, value, 0)
    assert present(state) == list(range(start, start + max(value, 0)))


def test_the_disk_is_waited_for_under_the_lock_also_after_fault_retry():
    state = address_space((0, 3, READ_WRITE, BACKING_FILE))
    state.mm[MM_DESIGN] = DESIGNS["fault-retry"]
    for kind, _, _ in moves(state, 0, CALL_GET_USER_PAGES, 0, 3, 0, reads=False):
        if kind == EFFECT_WAIT_PAGE:
            assert state.sem.sum() == 1
            return
    pytest.fail("never waited")


@pytest.mark.parametrize(("after", "value"), [(0, ERESTARTSYS), (2, 2)])
def test_a_fatal_signal_ends_it(after, value):
    state = address_space((0, 4))
    got = 0
    for kind, a, _ in moves(state, 0, CALL_GET_USER_PAGES, 0, 4, 1):
        got += kind == EFFECT_CPU and a == WORK_MLOCK_ANON
        if (kind == EFFECT_DOWN and after == 0) or (after and got == after):
            value_of(state, CALL_KILL, arg=0, task=1)
        last = kind, a
    assert last == (EFFECT_DONE, value) and len(present(state)) == after
