"""`mmap`, `munmap`, page faults, readahead and readers of /proc (kernel-facts 1.9, 1.10, 4)."""

from rfcsim.model.layout import backing, bit, call, effect, errno, mm, vm, vma
from tests.model.walk import (
    READ_WRITE,
    address_space,
    layout,
    mlocked,
    moves,
    pages_with,
    present,
    value_of,
)


def reads(state, *accesses):
    """The disk reads (first page, pages) that reading these pages one after another submits."""
    submitted = []
    for page in accesses:
        submitted += [
            (first, count)
            for kind, first, count in moves(state, 0, call.TOUCH, page, 1)
            if kind == effect.SUBMIT
        ]
    return submitted


def test_munmap_takes_out_the_middle_and_zaps_its_pages():
    state = address_space((0, 10))
    for page in range(10):
        value_of(state, call.TOUCH, page, 1, arg=1)
    assert value_of(state, call.MUNMAP, 3, 4) == 0
    assert layout(state) == [(0, 3, False), (7, 10, False)]
    assert present(state) == [0, 1, 2, 7, 8, 9] and state.mm[mm.TOTAL_VM] == 6


def test_munmap_of_nothing_is_fine_and_of_no_pages_is_not():
    state = address_space((0, 4))
    assert value_of(state, call.MUNMAP, 10, 4) == 0
    assert value_of(state, call.MUNMAP, 0, 0) == errno.EINVAL


def test_munmap_gives_back_what_was_charged():
    state = address_space((0, 10, READ_WRITE | vm.LOCKED))
    assert value_of(state, call.MUNMAP, 2, 3) == 0
    assert state.mm[mm.LOCKED_VM] == 7


def test_only_the_split_in_the_middle_minds_max_map_count():
    state = address_space((0, 4), (4, 8, vm.READ))
    state.mm[mm.MAX_MAP_COUNT] = 2
    assert value_of(state, call.MUNMAP, 1, 1) == errno.ENOMEM
    assert value_of(state, call.MUNMAP, 2, 4) == 0
    assert layout(state) == [(0, 2, False), (6, 8, False)]


def test_mmap_over_a_mapping_replaces_it_under_a_new_identity():
    state = address_space((0, 10))
    value_of(state, call.TOUCH, 5, 1, arg=1)
    assert value_of(state, call.MMAP, 4, 3, arg=READ_WRITE) == 4
    assert layout(state) == [(0, 4, False), (4, 7, False), (7, 10, False)]
    assert [int(row[vma.IDENTITY]) for row in state.vmas[:3]] == [1, 2, 1]
    assert present(state) == []


def test_a_present_page_takes_no_lock():
    state = address_space((0, 2))
    assert value_of(state, call.TOUCH, 0, 1, arg=1) == 0
    assert [kind for kind, _, _ in moves(state, 0, call.TOUCH, 0, 1)].count(effect.DOWN) == 0


def test_a_read_maps_the_zero_page_and_a_write_replaces_it():
    state = address_space((0, 2, READ_WRITE | vm.LOCKED))
    value_of(state, call.TOUCH, 0, 1)
    assert pages_with(state, bit.ZERO) == [0] and mlocked(state) == []
    value_of(state, call.TOUCH, 0, 1, arg=1)
    assert pages_with(state, bit.ZERO) == [] and mlocked(state) == [0]


def test_a_fault_marks_new_anonymous_pages_but_not_file_pages():
    state = address_space((0, 2, READ_WRITE | vm.LOCKED), (2, 4, vm.READ | vm.LOCKED, backing.FILE))
    state.pages[2:4] = bit.CACHED
    for page, write in ((0, 1), (2, 0)):
        assert value_of(state, call.TOUCH, page, 1, arg=write) == 0
    assert present(state) == [0, 2] and mlocked(state) == [0]


def test_bad_accesses_are_signals():
    state = address_space((0, 2, vm.READ), (4, 6, 0))
    assert value_of(state, call.TOUCH, 0, 1, arg=1) == errno.EFAULT
    assert value_of(state, call.TOUCH, 3, 1) == errno.EFAULT
    assert value_of(state, call.TOUCH, 4, 1) == errno.EFAULT
    assert present(state) == []


def test_a_stack_grows_down_to_the_fault_within_the_limit():
    stack = READ_WRITE | vm.GROWSDOWN | vm.LOCKED
    state = address_space((10, 12, stack))
    state.mm[mm.LOCK_LIMIT] = 5
    assert value_of(state, call.TOUCH, 7, 1, arg=1) == 0
    assert layout(state) == [(7, 12, True)] and state.mm[mm.LOCKED_VM] == 5
    assert value_of(state, call.TOUCH, 6, 1, arg=1) == errno.EFAULT


def test_a_linear_walk_keeps_the_next_window_in_flight():
    state = address_space((0, 40, vm.READ, backing.FILE))
    state.mm[mm.READAHEAD_PAGES] = 8
    assert reads(state, *range(32)) == [(0, 16), (16, 8), (24, 8), (32, 8)]


def test_random_access_reads_around_until_it_misses_too_often():
    state = address_space((0, 4000, vm.READ, backing.FILE), pages=4000)
    state.mm[mm.READAHEAD_PAGES] = 8
    scattered = [20 + 30 * k for k in range(110)]
    submitted = reads(state, *scattered)
    assert submitted[:2] == [(16, 8), (46, 8)]
    assert {count for _, count in submitted[:100]} == {8}
    assert submitted[100:] == [(page, 1) for page in scattered[100:]]
    assert state.vmas[0, vma.READ_MISSES] == 110


def test_the_random_hint_reads_one_page_at_a_time():
    state = address_space((0, 40, vm.READ | vm.RAND_READ, backing.FILE))
    assert reads(state, 0, 1, 2, 20) == [(0, 1), (1, 1), (2, 1), (20, 1)]


def test_read_around_leaves_what_is_cached_alone():
    state = address_space((0, 40, vm.READ, backing.FILE))
    state.mm[mm.READAHEAD_PAGES] = 8
    state.pages[17] = bit.CACHED
    state.pages[22] = bit.CACHED
    assert reads(state, 20) == [(18, 4)]


def test_a_reader_of_maps_counts_vmas():
    assert value_of(address_space((0, 2), (4, 6)), call.READ_MAPS) == 2
