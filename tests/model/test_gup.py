"""`get_user_pages`, and a stack that grows for it."""

import pytest

from rfcsim.model.layout import backing, call, effect, errno, lock, mm, vm, vma, work
from rfcsim.model.layout import design as designs
from tests.model.walk import READ_WRITE, address_space, mlocked, moves, present, value_of

STACK = READ_WRITE | vm.GROWSDOWN
LOCKED_STACK = STACK | vm.LOCKED


def effects(state, start, pages=1, write=1):
    return list(moves(state, 0, call.GET_USER_PAGES, start, pages, write))


def work_of(asked):
    return [a for kind, a, _ in asked if kind == effect.CPU]


@pytest.mark.parametrize("design", designs.BY_NAME)
def test_a_locked_stack_that_grows_is_populated_in_the_callers_hold(design):
    state = address_space((20, 24, LOCKED_STACK))
    state.mm[mm.DESIGN] = designs.BY_NAME[design]
    asked = effects(state, 16)
    holds = [(kind, a) for kind, a, _ in asked if kind in (effect.DOWN, effect.UP)]
    assert holds == [(effect.DOWN, lock.SHARED), (effect.UP, lock.SHARED)]
    # The first page is the guard page. The growth leaves it out; then it is the one asked for.
    assert work_of(asked) == [work.SYSCALL, work.VMA_VISIT, *[work.MLOCK_ANON] * 4]
    assert asked[-1] == (effect.DONE, 1, 0)
    assert present(state) == [16, 17, 18, 19] == mlocked(state)
    assert state.vmas[0, vma.START] == 16
    assert (state.mm[mm.LOCKED_VM], state.mm[mm.TOTAL_VM]) == (8, 8)


def test_a_page_fault_lets_it_grow_and_populates_nothing_else():
    state = address_space((20, 24, LOCKED_STACK))
    assert value_of(state, call.TOUCH, 16, 1, 1) == 0
    assert present(state) == [16] == mlocked(state) and state.vmas[0, vma.START] == 16


def test_a_stack_that_is_not_locked_grows_by_what_is_asked_for():
    state = address_space((20, 24, STACK))
    assert work_of(effects(state, 16, 2)) == [work.SYSCALL, *[work.MLOCK_ANON] * 2]
    assert present(state) == [16, 17] and mlocked(state) == []


def test_the_limit_on_locked_memory_stops_a_stack():
    state = address_space((20, 24, LOCKED_STACK))
    state.mm[mm.LOCK_LIMIT] = 7
    assert value_of(state, call.GET_USER_PAGES, 16, 1, 1) == errno.EFAULT
    assert state.vmas[0, vma.START] == 20 and present(state) == []


@pytest.mark.parametrize(
    ("mapping", "start", "value"),
    [
        ((4, 8, READ_WRITE), 4, 4),
        ((4, 8, READ_WRITE), 6, 2),  # as far as it goes
        ((4, 8, READ_WRITE), 3, errno.EFAULT),
        ((4, 8, vm.READ), 4, errno.EFAULT),
        ((4, 8, READ_WRITE | vm.IO), 4, errno.EFAULT),
    ],
)
def test_how_many_pages_it_got(mapping, start, value):
    state = address_space(mapping)
    assert effects(state, start, 4)[-1] == (effect.DONE, value, 0)
    assert present(state) == list(range(start, start + max(value, 0)))


def test_the_disk_is_waited_for_under_the_lock_also_after_fault_retry():
    state = address_space((0, 3, READ_WRITE, backing.FILE))
    state.mm[mm.DESIGN] = designs.BY_NAME["fault-retry"]
    for kind, _, _ in moves(state, 0, call.GET_USER_PAGES, 0, 3, 0, reads=False):
        if kind == effect.WAIT_PAGE:
            assert state.sem.sum() == 1
            return
    pytest.fail("never waited")


@pytest.mark.parametrize(("after", "value"), [(0, errno.ERESTARTSYS), (2, 2)])
def test_a_fatal_signal_ends_it(after, value):
    state = address_space((0, 4))
    got = 0
    for kind, a, _ in moves(state, 0, call.GET_USER_PAGES, 0, 4, 1):
        got += kind == effect.CPU and a == work.MLOCK_ANON
        if (kind == effect.DOWN and after == 0) or (after and got == after):
            value_of(state, call.KILL, arg=0, task=1)
        last = kind, a
    assert last == (effect.DONE, value) and len(present(state)) == after
