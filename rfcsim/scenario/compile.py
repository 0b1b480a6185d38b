"""Turn a scenario into arrays: the state of the model, and the programs of its tasks."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rfcsim.clock.layout import distribution, pick
from rfcsim.model.layout import (
    backing,
    bit,
    design,
    flag,
    lock,
    mm,
    operation,
    policy,
    reach,
    thread,
    vm,
    vma,
)
from rfcsim.model.layout import call as call_number
from rfcsim.model.state import State, new_state
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
    "r": vm.READ,
    "rw": vm.READ | vm.WRITE,
    "rx": vm.READ | vm.EXEC,
    "x": vm.EXEC,
}
ACCESS = {"normal": 0, "sequential": vm.SEQ_READ, "random": vm.RAND_READ}
SPECIAL = {
    "none": 0,
    "io": vm.IO,
    "pfnmap": vm.PFNMAP,
    "dontexpand": vm.DONTEXPAND,
    "reserved": vm.RESERVED,
    "gate": vm.GATE,
}
MODE = {"shared": lock.SHARED, "exclusive": lock.EXCLUSIVE}
PICK = {"fixed": pick.FIXED, "random": pick.RANDOM, "sequential": pick.SEQUENTIAL}
DISTRIBUTION = {name: code for code, name in enumerate(distribution.NAMES)}

# How many VMAs a kernel can have above max_map_count: mmap() is refused only beyond it (+ 1), and
# a munmap() of parts of two VMAs splits both before it removes anything (+ 2).
ROWS_ABOVE_LIMIT = 3


class Process(NamedTuple):
    """A scenario as arrays: an address space, and what its tasks do in it.

    state : State, as the run begins
    programs : int64[operations, operation.SIZE]
    threads : int64[tasks, thread.SIZE]
    """

    state: State
    programs: np.ndarray
    threads: np.ndarray


def compile_process(scenario: Scenario) -> Process:
    """Turn a scenario into the arrays that either engine begins with. Costs play no part."""
    placed = scenario.placements()
    programs, threads = _programs(scenario, placed)
    state = new_state(placed[-1].end, _vma_rows(scenario, placed, programs), len(threads))
    _set_kernel(state, scenario)
    _lay_out(state, placed)
    return Process(state, programs, threads)


def mapping_flags(region: Region) -> int:
    """The VM_* flags that mmap() gives to a mapping like the region; see `Mmap`."""
    flags = PROTECTION[region.protection] | ACCESS[region.access] | SPECIAL[region.special]
    return flags | vm.HUGETLB if region.backing == "hugetlb" else flags


def _set_kernel(state: State, scenario: Scenario) -> None:
    limit = scenario.rlimit_memlock_pages
    state.mm[mm.DESIGN] = design.BY_NAME[scenario.design]
    state.mm[mm.BATCH_PAGES] = scenario.batch_pages
    state.mm[mm.LOCK_POLICY] = policy.BY_NAME[scenario.lock_policy]
    state.mm[mm.READAHEAD_PAGES] = scenario.readahead_pages
    state.mm[mm.MAX_MAP_COUNT] = scenario.max_map_count
    state.mm[mm.LOCK_LIMIT] = -1 if limit is None else limit
    state.mm[mm.CAP_IPC_LOCK] = scenario.cap_ipc_lock


def _lay_out(state: State, placed: tuple[Placement, ...]) -> None:
    """Map the regions and set the state of their pages."""
    for region, _, start, end in placed:
        _set_pages(state.pages[start:end], region)
        if not region.mapped:
            continue
        row = state.vmas[state.mm[mm.MAP_COUNT]]
        row[vma.START] = start
        row[vma.END] = end
        row[vma.FLAGS] = (
            mapping_flags(region)
            | (vm.GROWSDOWN if region.grows_down else 0)
            | (vm.LOCKED if region.locked else 0)
        )
        row[vma.BACKING] = _backing(region)
        row[vma.IDENTITY] = state.mm[mm.NEXT_IDENTITY]
        row[vma.READ_POSITION] = start - 1
        state.mm[mm.NEXT_IDENTITY] += 1
        state.mm[mm.MAP_COUNT] += 1
        state.mm[mm.TOTAL_VM] += region.pages
        state.mm[mm.LOCKED_VM] += region.pages if region.locked else 0


def _set_pages(pages: np.ndarray, region: Region) -> None:
    if region.end_of_file_page is not None:
        pages[region.end_of_file_page :] = bit.PAST_EOF
        pages = pages[: region.end_of_file_page]
    flags = 0
    if region.backing == "file" and (region.cached or region.present):
        flags |= bit.CACHED
    if region.present:
        flags |= bit.PRESENT
        if region.backing != "file" and region.protection != "rw":
            flags |= bit.ZERO
        elif region.locked:
            flags |= bit.MLOCKED
    if flags:  # leave untouched memory untouched
        pages[:] = flags


def _backing(region: Region) -> int:
    return backing.FILE if region.backing == "file" else backing.ANON


def _programs(scenario: Scenario, placed: tuple[Placement, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the calls and the rows of the tasks; each task has its own rows of calls."""
    places = {(p.region.name, p.copy): p for p in placed}
    pages = placed[-1].end
    first_tasks = _first_tasks(scenario)
    programs: list[list[int]] = []
    threads: list[list[int]] = []
    for number, group in enumerate(scenario.tasks):
        for task in range(group.count):
            row = [0] * thread.SIZE
            row[thread.FIRST_OP] = len(programs)
            row[thread.OPS] = len(group.calls)
            row[thread.REPEATS] = group.repeats
            row[thread.START_KIND] = DISTRIBUTION[group.start]
            row[thread.START_NS] = group.start_ns
            row[thread.CPU] = -1 if group.cpu is None else group.cpu
            row[thread.CLASS] = number
            row[thread.REALTIME] = group.realtime
            threads.append(row)
            for call in group.calls:
                row = _operation(call, task, places, pages)
                if isinstance(call, Kill):
                    row[operation.ARG] = first_tasks[call.task] + call.number
                programs.append(row)
    return np.array(programs, np.int64), np.array(threads, np.int64)


def _operation(
    call: Call, task: int, places: Mapping[tuple[str, int], Placement], pages: int
) -> list[int]:
    """The row of a call that task number `task` of its group makes.

    The address space has `pages` pages.
    """
    row = [0] * operation.SIZE
    row[operation.CALL] = call_number.NAMES.index(call.call)
    row[operation.THINK_KIND] = DISTRIBUTION[call.think]
    row[operation.THINK_NS] = call.think_ns
    row[operation.PICK] = pick.FIXED
    row[operation.WORK_KIND] = distribution.CONSTANT
    if isinstance(call, RangeCall):
        place = _place(call.region, task, places)
        row[operation.START] = place.start + call.offset_pages
        row[operation.PAGES] = (
            place.region.pages - call.offset_pages if call.pages is None else call.pages
        )
        if isinstance(call, PiecesCall):
            row[operation.PIECE_PAGES] = call.piece_pages or 0
            row[operation.PAUSE_NS] = call.pause_ns
        if isinstance(call, Mlock):
            row[operation.ARG] = flag.MLOCK_ONFAULT if call.on_fault else 0
        elif isinstance(call, Mmap):
            row[operation.ARG] = (
                mapping_flags(place.region)
                | (vm.LOCKED if call.locked else 0)
                | (flag.MAP_POPULATE if call.populate else 0)
            )
            row[operation.BACKING] = _backing(place.region)
        elif isinstance(call, Mprotect):
            row[operation.ARG] = PROTECTION[call.protection]
        elif isinstance(call, Mremap):
            row[operation.ARG] = row[operation.PAGES] if call.new_pages is None else call.new_pages
            row[operation.BACKING] = flag.MREMAP_MAYMOVE if call.may_move else flag.MREMAP_IN_PLACE
            if call.to_region is not None:
                row[operation.BACKING] = (
                    _place(call.to_region, task, places).start + call.to_offset_pages
                )
        elif isinstance(call, RemapFilePages):
            row[operation.ARG] = flag.MAP_NONBLOCK if call.nonblock else 0
        elif isinstance(call, GetUserPages):
            row[operation.ARG] = call.write
        elif isinstance(call, Touch):
            row[operation.ARG] = call.write
            row[operation.PICK] = PICK[call.pick]
    elif isinstance(call, Brk):
        row[operation.START] = _place(call.region, task, places).start
        row[operation.PAGES] = call.pages
    elif isinstance(call, Mlockall | Munlockall):
        row[operation.PAGES] = pages
        if isinstance(call, Mlockall):
            row[operation.ARG] = (flag.MCL_CURRENT if call.current else 0) | (
                flag.MCL_FUTURE if call.future else 0
            )
    elif isinstance(call, Hold):
        row[operation.ARG] = MODE[call.mode]
        row[operation.WORK_KIND] = DISTRIBUTION[call.distribution]
        row[operation.WORK_NS] = call.hold_ns
    return row


def _first_tasks(scenario: Scenario) -> dict[str, int]:
    """The first task of each group, by the group's name."""
    first, tasks = {}, 0
    for group in scenario.tasks:
        first[group.name] = tasks
        tasks += group.count
    return first


def _place(name: str, task: int, places: Mapping[tuple[str, int], Placement]) -> Placement:
    """The task's own copy of a region, or the only copy there is."""
    return places.get((name, task)) or places[name, 0]


def piece_starts(op: np.ndarray) -> np.ndarray:
    """The first page of each piece of a call that is made piece by piece, int64[pieces]."""
    return np.arange(
        op[operation.START], op[operation.START] + op[operation.PAGES], op[operation.PIECE_PAGES]
    )


def _vma_rows(scenario: Scenario, placed: tuple[Placement, ...], programs: np.ndarray) -> int:
    """The most VMAs that there can ever be.

    A VMA ends where a region or a range of a call begins or ends (only its start can move
    elsewhere, when a stack grows), and no two VMAs end at the same page. The exception is mremap(),
    which can carry a piece of any size to any place.
    """
    limit = scenario.max_map_count + ROWS_ABOVE_LIMIT
    if np.isin(programs[:, operation.CALL], reach.calls_that(reach.VMAS)).any():
        return min(placed[-1].end, limit)
    ends = np.concatenate(
        [
            [p.end for p in placed],
            programs[:, operation.START],
            programs[:, operation.START] + programs[:, operation.PAGES],
            *(piece_starts(op) for op in programs[programs[:, operation.PIECE_PAGES] > 0]),
        ]
    )
    return min(len(np.unique(ends)), limit)
