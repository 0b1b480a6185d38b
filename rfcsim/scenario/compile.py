"""Turn a scenario into the arrays of the clock."""

from collections.abc import Mapping

import numpy as np

from rfcsim.clock.layout import (
    CONSTANT,
    DISTRIBUTION_NAMES,
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_PAUSE_NS,
    OP_PICK,
    OP_PIECE_PAGES,
    OP_SIZE,
    OP_START,
    OP_THINK_KIND,
    OP_THINK_NS,
    OP_WORK_KIND,
    OP_WORK_NS,
    PICK_FIXED,
    PICK_RANDOM,
    PICK_SEQUENTIAL,
    T_CLASS,
    T_CPU,
    T_FIRST_OP,
    T_OPS,
    T_REALTIME,
    T_REPEATS,
    T_SIZE,
    T_START_KIND,
    T_START_NS,
    Machine,
)
from rfcsim.clock.machine import build
from rfcsim.model.layout import (
    BACKING_ANON,
    BACKING_FILE,
    CALL_MREMAP,
    CALL_NAMES,
    DESIGNS,
    EXCLUSIVE,
    LOCK_POLICIES,
    MAP_NONBLOCK,
    MAP_POPULATE,
    MCL_CURRENT,
    MCL_FUTURE,
    MLOCK_ONFAULT,
    MM_BATCH_PAGES,
    MM_CAP_IPC_LOCK,
    MM_DESIGN,
    MM_LOCK_LIMIT,
    MM_LOCK_POLICY,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_READAHEAD_PAGES,
    MM_TOTAL_VM,
    MREMAP_IN_PLACE,
    MREMAP_MAYMOVE,
    PAGE_CACHED,
    PAGE_MLOCKED,
    PAGE_PAST_EOF,
    PAGE_PRESENT,
    PAGE_ZERO,
    SHARED,
    VM_DONTEXPAND,
    VM_EXEC,
    VM_GATE,
    VM_GROWSDOWN,
    VM_HUGETLB,
    VM_IO,
    VM_LOCKED,
    VM_PFNMAP,
    VM_RAND_READ,
    VM_READ,
    VM_RESERVED,
    VM_SEQ_READ,
    VM_WRITE,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_IDENTITY,
    VMA_READ_POSITION,
    VMA_START,
    State,
)
from rfcsim.model.state import new_state
from rfcsim.scenario.calls import (
    Brk,
    Call,
    GetUserPages,
    Hold,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlockall,
    PiecesCall,
    RangeCall,
    RemapFilePages,
    Touch,
)
from rfcsim.scenario.process import Placement, Region
from rfcsim.scenario.scenario import Scenario

PROTECTION = {
    "none": 0,
    "r": VM_READ,
    "rw": VM_READ | VM_WRITE,
    "rx": VM_READ | VM_EXEC,
    "x": VM_EXEC,
}
ACCESS = {"normal": 0, "sequential": VM_SEQ_READ, "random": VM_RAND_READ}
SPECIAL = {
    "none": 0,
    "io": VM_IO,
    "pfnmap": VM_PFNMAP,
    "dontexpand": VM_DONTEXPAND,
    "reserved": VM_RESERVED,
    "gate": VM_GATE,
}
MODE = {"shared": SHARED, "exclusive": EXCLUSIVE}
PICK = {"fixed": PICK_FIXED, "random": PICK_RANDOM, "sequential": PICK_SEQUENTIAL}
DISTRIBUTION = {name: code for code, name in enumerate(DISTRIBUTION_NAMES)}

# Rows that a kernel can go above max_map_count: mmap() is refused only beyond it (+ 1), and a
# munmap() of parts of two VMAs splits both before it removes anything (+ 2).
ROWS_ABOVE_LIMIT = 3


def compile_scenario(
    scenario: Scenario,
    costs: np.ndarray,
    *,
    seed: int = 0,
    replication: int = 0,
    trace_capacity: int = 0,
    jump: bool = True,
) -> Machine:
    """Build the clock for a scenario, ready to run.

    Parameters
    ----------
    scenario : Scenario
    costs : int64[N_COSTS]
        Nanoseconds by class of work and the rest of a cost table, as `CostTable.values`.
    seed, replication : int
        Together the key of the random numbers.
    trace_capacity : int
        Events of the trace that are kept; 0 keeps none.
    jump : bool
        Advance over the pages of one hold at once; the result is the same without.
    """
    placed = scenario.placements()
    programs, threads = _programs(scenario, placed)
    state = new_state(placed[-1].end, _vma_rows(scenario, placed, programs), len(threads))
    _set_kernel(state, scenario)
    _lay_out(state, placed)
    return build(
        state,
        programs,
        threads,
        costs.copy(),  # a cost table is read-only, and would be compiled for anew
        cpus=scenario.cpus,
        classes=len(scenario.tasks),
        seed=seed,
        replication=replication,
        end_ns=scenario.end_ns,
        trace_capacity=trace_capacity,
        jump=jump,
        preempts=scenario.wake_up_preemption,
    )


def mapping_flags(region: Region) -> int:
    """VM_* that mmap() gives to a mapping like the region; see `Mmap`."""
    flags = PROTECTION[region.protection] | ACCESS[region.access] | SPECIAL[region.special]
    return flags | VM_HUGETLB if region.backing == "hugetlb" else flags


def _set_kernel(state: State, scenario: Scenario) -> None:
    limit = scenario.rlimit_memlock_pages
    state.mm[MM_DESIGN] = DESIGNS[scenario.design]
    state.mm[MM_BATCH_PAGES] = scenario.batch_pages
    state.mm[MM_LOCK_POLICY] = LOCK_POLICIES[scenario.lock_policy]
    state.mm[MM_READAHEAD_PAGES] = scenario.readahead_pages
    state.mm[MM_MAX_MAP_COUNT] = scenario.max_map_count
    state.mm[MM_LOCK_LIMIT] = -1 if limit is None else limit
    state.mm[MM_CAP_IPC_LOCK] = scenario.cap_ipc_lock


def _lay_out(state: State, placed: tuple[Placement, ...]) -> None:
    """Map the regions and set the state of their pages."""
    mm = state.mm
    for region, _, start, end in placed:
        _set_pages(state.pages[start:end], region)
        if not region.mapped:
            continue
        row = state.vmas[mm[MM_MAP_COUNT]]
        row[VMA_START] = start
        row[VMA_END] = end
        row[VMA_FLAGS] = (
            mapping_flags(region)
            | (VM_GROWSDOWN if region.grows_down else 0)
            | (VM_LOCKED if region.locked else 0)
        )
        row[VMA_BACKING] = _backing(region)
        row[VMA_IDENTITY] = mm[MM_NEXT_IDENTITY]
        row[VMA_READ_POSITION] = start - 1
        mm[MM_NEXT_IDENTITY] += 1
        mm[MM_MAP_COUNT] += 1
        mm[MM_TOTAL_VM] += region.pages
        mm[MM_LOCKED_VM] += region.pages if region.locked else 0


def _set_pages(pages: np.ndarray, region: Region) -> None:
    if region.end_of_file_page is not None:
        pages[region.end_of_file_page :] = PAGE_PAST_EOF
        pages = pages[: region.end_of_file_page]
    flags = 0
    if region.backing == "file" and (region.cached or region.present):
        flags |= PAGE_CACHED
    if region.present:
        flags |= PAGE_PRESENT
        if region.backing != "file" and region.protection != "rw":
            flags |= PAGE_ZERO
        elif region.locked:
            flags |= PAGE_MLOCKED
    if flags:  # leave untouched memory untouched
        pages[:] = flags


def _backing(region: Region) -> int:
    return BACKING_FILE if region.backing == "file" else BACKING_ANON


def _programs(scenario: Scenario, placed: tuple[Placement, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of calls, and of tasks; each task has its own rows of calls."""
    places = {(p.region.name, p.copy): p for p in placed}
    pages = placed[-1].end
    first_tasks = _first_tasks(scenario)
    programs: list[list[int]] = []
    threads: list[list[int]] = []
    for number, group in enumerate(scenario.tasks):
        for task in range(group.count):
            thread = [0] * T_SIZE
            thread[T_FIRST_OP] = len(programs)
            thread[T_OPS] = len(group.calls)
            thread[T_REPEATS] = group.repeats
            thread[T_START_KIND] = DISTRIBUTION[group.start]
            thread[T_START_NS] = group.start_ns
            thread[T_CPU] = -1 if group.cpu is None else group.cpu
            thread[T_CLASS] = number
            thread[T_REALTIME] = group.realtime
            threads.append(thread)
            for call in group.calls:
                row = _operation(call, task, places, pages)
                if isinstance(call, Kill):
                    row[OP_ARG] = first_tasks[call.task] + call.number
                programs.append(row)
    return np.array(programs, np.int64), np.array(threads, np.int64)


def _operation(
    call: Call, task: int, places: Mapping[tuple[str, int], Placement], pages: int
) -> list[int]:
    """The row of a call by the task of that number in its group; `pages` is the address space."""
    row = [0] * OP_SIZE
    row[OP_CALL] = CALL_NAMES.index(call.call)
    row[OP_THINK_KIND] = DISTRIBUTION[call.think]
    row[OP_THINK_NS] = call.think_ns
    row[OP_PICK] = PICK_FIXED
    row[OP_WORK_KIND] = CONSTANT
    if isinstance(call, RangeCall):
        place = _place(call.region, task, places)
        row[OP_START] = place.start + call.offset_pages
        row[OP_PAGES] = place.region.pages - call.offset_pages if call.pages is None else call.pages
        if isinstance(call, PiecesCall):
            row[OP_PIECE_PAGES] = call.piece_pages or 0
            row[OP_PAUSE_NS] = call.pause_ns
        if isinstance(call, Mlock):
            row[OP_ARG] = MLOCK_ONFAULT if call.on_fault else 0
        elif isinstance(call, Mmap):
            row[OP_ARG] = (
                mapping_flags(place.region)
                | (VM_LOCKED if call.locked else 0)
                | (MAP_POPULATE if call.populate else 0)
            )
            row[OP_BACKING] = _backing(place.region)
        elif isinstance(call, Mprotect):
            row[OP_ARG] = PROTECTION[call.protection]
        elif isinstance(call, Mremap):
            row[OP_ARG] = row[OP_PAGES] if call.new_pages is None else call.new_pages
            row[OP_BACKING] = MREMAP_MAYMOVE if call.may_move else MREMAP_IN_PLACE
            if call.to_region is not None:
                row[OP_BACKING] = _place(call.to_region, task, places).start + call.to_offset_pages
        elif isinstance(call, RemapFilePages):
            row[OP_ARG] = MAP_NONBLOCK if call.nonblock else 0
        elif isinstance(call, GetUserPages):
            row[OP_ARG] = call.write
        elif isinstance(call, Touch):
            row[OP_ARG] = call.write
            row[OP_PICK] = PICK[call.pick]
    elif isinstance(call, Brk):
        row[OP_START] = _place(call.region, task, places).start
        row[OP_PAGES] = call.pages
    elif isinstance(call, Mlockall | Munlockall):
        row[OP_PAGES] = pages
        if isinstance(call, Mlockall):
            row[OP_ARG] = (MCL_CURRENT if call.current else 0) | (MCL_FUTURE if call.future else 0)
    elif isinstance(call, Hold):
        row[OP_ARG] = MODE[call.mode]
        row[OP_WORK_KIND] = DISTRIBUTION[call.distribution]
        row[OP_WORK_NS] = call.hold_ns
    return row


def _first_tasks(scenario: Scenario) -> dict[str, int]:
    """The first task of each group, by the group's name."""
    first, tasks = {}, 0
    for group in scenario.tasks:
        first[group.name] = tasks
        tasks += group.count
    return first


def _place(name: str, task: int, places: Mapping[tuple[str, int], Placement]) -> Placement:
    """The task's own copy of a region, or the one there is."""
    return places.get((name, task)) or places[name, 0]


def piece_starts(op: np.ndarray) -> np.ndarray:
    """Where the pieces of a call that is made piece by piece begin, int64[pieces]."""
    return np.arange(op[OP_START], op[OP_START] + op[OP_PAGES], op[OP_PIECE_PAGES])


def _vma_rows(scenario: Scenario, placed: tuple[Placement, ...], programs: np.ndarray) -> int:
    """The most VMAs that there can ever be.

    A VMA ends where a region or a range of a call begins or ends (only its start can move
    elsewhere, when a stack grows), and no two VMAs end at the same page. But for mremap(), which
    can carry a piece of any size to any place.
    """
    limit = scenario.max_map_count + ROWS_ABOVE_LIMIT
    if (programs[:, OP_CALL] == CALL_MREMAP).any():
        return min(placed[-1].end, limit)
    ends = np.concatenate(
        [
            [p.end for p in placed],
            programs[:, OP_START],
            programs[:, OP_START] + programs[:, OP_PAGES],
            *(piece_starts(op) for op in programs[programs[:, OP_PIECE_PAGES] > 0]),
        ]
    )
    return min(len(np.unique(ends)), limit)
