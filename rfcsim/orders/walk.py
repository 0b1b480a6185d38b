"""One call, one step at a time: what it asks for, and what the address space is after it."""

import polars as pl

from rfcsim.clock.layout import (
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_START,
    OP_WORK_NS,
    T_FIRST_OP,
    T_OPS,
)
from rfcsim.errors import RfcsimError
from rfcsim.model.layout import (
    CALL_HOLD,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_SUBMIT,
    EFFECT_UP,
    EXCLUSIVE,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    REG_HELD,
    SHARED,
    UNLOCKED,
    VM_LOCKED,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_NAMES,
    State,
)
from rfcsim.model.pages import complete_read
from rfcsim.model.rwsem import down, downgrade, up
from rfcsim.model.step import begin, take_step
from rfcsim.scenario.compile import compile_scenario
from rfcsim.scenario.costs import cost_values
from rfcsim.scenario.scenario import Scenario

MOST_STEPS = 1000
_MODES = {UNLOCKED: "", SHARED: "shared", EXCLUSIVE: "exclusive"}
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

    Nobody interferes: the lock is granted at once and the disk answers at once.

    Parameters
    ----------
    scenario : Scenario
        A small one: at most MOST_STEPS steps.
    task : str, optional
        The name of a task group, whose first task walks once through its calls; by default the
        first group.

    Returns
    -------
    polars.DataFrame
        A row a step: step, asks for (the effect), holds mmap_sem (its mode afterwards), VMAs
        ([start, end) in pages, "L" if VM_LOCKED), pages (one character each: "." absent,
        "p" present, "m" present and mlocked), locked_vm (pages).

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
    machine = compile_scenario(scenario, cost_values(scenario.costs))
    state, thread = machine.state, machine.threads[walker]
    rows: list[tuple] = []
    for op in machine.programs[thread[T_FIRST_OP] : thread[T_FIRST_OP] + thread[T_OPS]]:
        argument = op[OP_WORK_NS] if op[OP_CALL] == CALL_HOLD else op[OP_BACKING]
        begin(state, walker, op[OP_CALL], op[OP_START], op[OP_PAGES], op[OP_ARG], argument)
        kind = EFFECT_CPU
        while kind != EFFECT_DONE:
            kind, a, b = (int(number) for number in take_step(state, walker))
            asks = _perform(state, walker, kind, a, b)
            held = _MODES[int(state.tasks[walker, REG_HELD])]
            rows.append((len(rows) + 1, asks, held, *address_space(state)))
            if len(rows) > MOST_STEPS:
                raise RfcsimError(f"{name} takes over {MOST_STEPS} steps: must be fewer pages")
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _perform(state: State, task: int, kind: int, a: int, b: int) -> str:
    """Do at once what a step asked for; the same in words."""
    if kind == EFFECT_CPU:
        return f"CPU: {WORK_NAMES[a]}" + (f" × {b}" if b > 1 else "")
    if kind == EFFECT_DOWN:
        down(state, task, a)
        return "down_write" if a == EXCLUSIVE else "down_read"
    if kind == EFFECT_UP:
        up(state, task)
        return "up_write" if a == EXCLUSIVE else "up_read"
    if kind == EFFECT_DOWNGRADE:
        downgrade(state, task)
        return "downgrade_write"
    if kind == EFFECT_SUBMIT:
        complete_read(state, a, b)
        return f"read pages {a} to {a + b - 1}"
    return f"return {a}"


def address_space(state: State) -> tuple[str, str, int]:
    """The VMAs, the pages and locked_vm of a process as `walk` shows them."""
    vmas = " ".join(
        f"[{row[VMA_START]}, {row[VMA_END]}){' L' if row[VMA_FLAGS] & VM_LOCKED else ''}"
        for row in state.vmas[: state.mm[MM_MAP_COUNT]]
    )
    pages = "".join(
        "m" if bits & PAGE_MLOCKED else "p" if bits & PAGE_PRESENT else "." for bits in state.pages
    )
    return vmas, pages, int(state.mm[MM_LOCKED_VM])
