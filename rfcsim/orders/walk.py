"""One task, one step at a time: what each step asks for, and the address space after it."""

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import bit, call, effect, lock, mm, operation, reg, thread, vm, vma, work
from rfcsim.model.pages import complete_read
from rfcsim.model.rwsem import down, downgrade, up
from rfcsim.model.state import State
from rfcsim.model.step import begin, take_step
from rfcsim.scenario.compile import compile_process
from rfcsim.scenario.scenario import Scenario

MOST_STEPS = 1000
MODES = {lock.UNLOCKED: "", lock.SHARED: "shared", lock.EXCLUSIVE: "exclusive"}
_SCHEMA = {
    "step": pl.Int64(),
    "asks for": pl.String(),
    "holds mmap_sem": pl.String(),
    "VMAs": pl.String(),
    "pages": pl.String(),
    "locked_vm": pl.Int64(),
}


def walk(scenario: Scenario, task: str | None = None) -> pl.DataFrame:
    """Let one task make its calls alone, and look at the process after every step.

    No other task interferes: the lock is granted at once, and the disk answers at once.

    Parameters
    ----------
    scenario : Scenario
        A small one: at most MOST_STEPS steps.
    task : str, optional
        The name of a task group, by default the first. Its first task walks once through its calls.

    Returns
    -------
    polars.DataFrame
        One row per step: step, asks for (the effect), holds mmap_sem (in which mode afterwards),
        VMAs ([start, end) in pages, "L" if VM_LOCKED), pages (one character each: "." absent,
        "p" present, "m" present and mlocked), locked_vm (in pages).

    Raises
    ------
    RfcsimError
        If there is no such group, or if the walk is too long.
    """
    names = [group.name for group in scenario.tasks]
    name = names[0] if task is None else task
    if name not in names:
        raise RfcsimError(f"task = {name!r}: must be one of {', '.join(names)}")
    walker = sum(group.count for group in scenario.tasks[: names.index(name)])
    state, programs, threads = compile_process(scenario)
    told = threads[walker]
    rows: list[tuple] = []
    for op in programs[told[thread.FIRST_OP] : told[thread.FIRST_OP] + told[thread.OPS]]:
        argument = (
            op[operation.WORK_NS] if op[operation.CALL] == call.HOLD else op[operation.BACKING]
        )
        begin(
            state,
            walker,
            op[operation.CALL],
            op[operation.START],
            op[operation.PAGES],
            op[operation.ARG],
            argument,
        )
        kind = effect.CPU
        while kind != effect.DONE:
            kind, a, b = (int(number) for number in take_step(state, walker))
            asks = _perform(state, walker, kind, a, b)
            held = MODES[int(state.tasks[walker, reg.HELD])]
            rows.append((len(rows) + 1, asks, held, *address_space(state)))
            if len(rows) > MOST_STEPS:
                raise RfcsimError(f"{name} takes over {MOST_STEPS} steps: must be fewer pages")
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _perform(state: State, task: int, kind: int, a: int, b: int) -> str:
    """Do at once what a step asked for, and return it in words."""
    if kind == effect.CPU:
        return f"CPU: {work.NAMES[a]}" + (f" × {b}" if b > 1 else "")
    if kind == effect.DOWN:
        down(state, task, a)
        return "down_write" if a == lock.EXCLUSIVE else "down_read"
    if kind == effect.UP:
        up(state, task)
        return "up_write" if a == lock.EXCLUSIVE else "up_read"
    if kind == effect.DOWNGRADE:
        downgrade(state, task)
        return "downgrade_write"
    if kind == effect.SUBMIT:
        complete_read(state, a, b)
        return f"read pages {a} to {a + b - 1}"
    return f"return {a}"


def address_space(state: State) -> tuple[str, str, int]:
    """The VMAs, the pages and locked_vm of a process as `walk` shows them."""
    vmas = " ".join(
        f"[{row[vma.START]}, {row[vma.END]}){' L' if row[vma.FLAGS] & vm.LOCKED else ''}"
        for row in state.vmas[: state.mm[mm.MAP_COUNT]]
    )
    pages = "".join(
        "m" if bits & bit.MLOCKED else "p" if bits & bit.PRESENT else "." for bits in state.pages
    )
    return vmas, pages, int(state.mm[mm.LOCKED_VM])
