"""`mmap`, `munmap`, page faults, readahead and readers of /proc (kernel-facts 1.9, 1.10, 4)."""

from rfcsim.model.layout import (
    BACKING_FILE,
    CALL_MMAP,
    CALL_MUNMAP,
    CALL_READ_MAPS,
    CALL_TOUCH,
    EFAULT,
    EFFECT_DOWN,
    EFFECT_SUBMIT,
    EINVAL,
    ENOMEM,
    MM_LOCK_LIMIT,
    MM_LOCKED_VM,
    MM_MAX_MAP_COUNT,
    MM_READAHEAD_PAGES,
    MM_TOTAL_VM,
    PAGE_CACHED,
    PAGE_ZERO,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_RAND_READ,
    VM_READ,
    VMA_IDENTITY,
    VMA_READ_MISSES,
)
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
            for kind, first, count in moves(state, 0, CALL_TOUCH, page, 1)
            if kind == EFFECT_SUBMIT
        ]
    return submitted


def test_munmap_takes_out_the_middle_and_zaps_its_pages():
    state = address_space((0, 10))
    for page in range(10):
        value_of(state, CALL_TOUCH, page, 1, arg=1)
    assert value_of(state, CALL_MUNMAP, 3, 4) == 0
    assert layout(state) == [(0, 3, False), (7, 10, False)]
    assert present(state) == [0, 1, 2, 7, 8, 9] and state.mm[MM_TOTAL_VM] == 6


def test_munmap_of_nothing_is_fine_and_of_no_pages_is_not():
    state = address_space((0, 4))
    assert value_of(state, CALL_MUNMAP, 10, 4) == 0
    assert value_of(state, CALL_MUNMAP, 0, 0) == EINVAL


def test_munmap_gives_back_what_was_charged():
    state = address_space((0, 10, READ_WRITE | VM_LOCKED))
    assert value_of(state, CALL_MUNMAP, 2, 3) == 0
    assert state.mm[MM_LOCKED_VM] == 7


def test_only_the_split_in_the_middle_minds_max_map_count():
    state = address_space((0, 4), (4, 8, VM_READ))
    state.mm[MM_MAX_MAP_COUNT] = 2
    assert value_of(state, CALL_MUNMAP, 1, 1) == ENOMEM
    assert value_of(state, CALL_MUNMAP, 2, 4) == 0
    assert layout(state) == [(0, 2, False), (6, 8, False)]


def test_mmap_over_a_mapping_replaces_it_under_a_new_identity():
    state = address_space((0, 10))
    value_of(state, CALL_TOUCH, 5, 1, arg=1)
    assert value_of(state, CALL_MMAP, 4, 3, arg=READ_WRITE) == 4
    assert layout(state) == [(0, 4, False), (4, 7, False), (7, 10, False)]
    assert [int(row[VMA_IDENTITY]) for row in state.vmas[:3]] == [1, 2, 1]
    assert present(state) == []


def test_a_present_page_takes_no_lock():
    state = address_space((0, 2))
    assert value_of(state, CALL_TOUCH, 0, 1, arg=1) == 0
    assert [kind for kind, _, _ in moves(state, 0, CALL_TOUCH, 0, 1)].count(EFFECT_DOWN) == 0


def test_a_read_maps_the_zero_page_and_a_write_replaces_it():
    state = address_space((0, 2, READ_WRITE | VM_LOCKED))
    value_of(state, CALL_TOUCH, 0, 1)
    assert pages_with(state, PAGE_ZERO) == [0] and mlocked(state) == []
    value_of(state, CALL_TOUCH, 0, 1, arg=1)
    assert pages_with(state, PAGE_ZERO) == [] and mlocked(state) == [0]


def test_a_fault_marks_new_anonymous_pages_but_not_file_pages():
    state = address_space((0, 2, READ_WRITE | VM_LOCKED), (2, 4, VM_READ | VM_LOCKED, BACKING_FILE))
    state.pages[2:4] = PAGE_CACHED
    for page, write in ((0, 1), (2, 0)):
        assert value_of(state, CALL_TOUCH, page, 1, arg=write) == 0
    assert present(state) == [0, 2] and mlocked(state) == [0]


def test_bad_accesses_are_signals():
    state = address_space((0, 2, VM_READ), (4, 6, 0))
    assert value_of(state, CALL_TOUCH, 0, 1, arg=1) == EFAULT
    assert value_of(state, CALL_TOUCH, 3, 1) == EFAULT
    assert value_of(state, CALL_TOUCH, 4, 1) == EFAULT
    assert present(state) == []


def test_a_stack_grows_down_to_the_fault_within_the_limit():
    stack = READ_WRITE | VM_GROWSDOWN | VM_LOCKED
    state = address_space((10, 12, stack))
    state.mm[MM_LOCK_LIMIT] = 5
    assert value_of(state, CALL_TOUCH, 7, 1, arg=1) == 0
    assert layout(state) == [(7, 12, True)] and state.mm[MM_LOCKED_VM] == 5
    assert value_of(state, CALL_TOUCH, 6, 1, arg=1) == EFAULT


def test_a_linear_walk_keeps_the_next_window_in_flight():
    state = address_space((0, 40, VM_READ, BACKING_FILE))
    state.mm[MM_READAHEAD_PAGES] = 8
    assert reads(state, *range(32)) == [(0, 16), (16, 8), (24, 8), (32, 8)]


def test_random_access_reads_around_until_it_misses_too_often():
    state = address_space((0, 4000, VM_READ, BACKING_FILE), pages=4000)
    state.mm[MM_READAHEAD_PAGES] = 8
    scattered = [20 + 30 * k for k in range(110)]
    submitted = reads(state, *scattered)
    assert submitted[:2] == [(16, 8), (46, 8)]
    assert {count for _, count in submitted[:100]} == {8}
    assert submitted[100:] == [(page, 1) for page in scattered[100:]]
    assert state.vmas[0, VMA_READ_MISSES] == 110


def test_the_random_hint_reads_one_page_at_a_time():
    state = address_space((0, 40, VM_READ | VM_RAND_READ, BACKING_FILE))
    assert reads(state, 0, 1, 2, 20) == [(0, 1), (1, 1), (2, 1), (20, 1)]


def test_read_around_leaves_what_is_cached_alone():
    state = address_space((0, 40, VM_READ, BACKING_FILE))
    state.mm[MM_READAHEAD_PAGES] = 8
    state.pages[17] = PAGE_CACHED
    state.pages[22] = PAGE_CACHED
    assert reads(state, 20) == [(18, 4)]


def test_a_reader_of_maps_counts_vmas():
    assert value_of(address_space((0, 2), (4, 6)), CALL_READ_MAPS) == 2
