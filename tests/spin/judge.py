"""SPIN as the judge: the possible outcomes of a scenario, and the claims that hold on every way.

The model is mlock.pml; the tasks of a scenario are appended to it. The search is exhaustive.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

from tests.spin.scenarios import SCENARIOS, Call, Task

MODEL = Path(__file__).with_name("mlock.pml")

CLAIMS = {
    "mlocked_only_in_vm_locked": "assertion violated mlocked_only_in_vm_locked",
    "locked_vm_adds_up": "assertion violated locked_vm_adds_up",
    "mlock_keeps_its_promise": "assertion violated mlock_keeps_its_promise",
    "every_call_returns": "invalid end state",
}
"""Claim -> what SPIN says if it is violated.

- `mlocked_only_in_vm_locked`: while nobody holds mmap_sem exclusively, no page is PageMlocked
  outside a VM_LOCKED VMA.
- `locked_vm_adds_up`: while nobody holds it exclusively, `locked_vm` counts the VM_LOCKED pages.
- `mlock_keeps_its_promise`: when mlock() returns 0, each of its pages with which no munlock(),
  munmap() or mmap() interferes is present, PageMlocked and in a VM_LOCKED VMA.
- `every_call_returns`: nobody waits for ever.
"""

Design = Literal["exclusive", "batched"]
Policy = Literal["fifo", "any"]
Mutant = Literal["NO_RECHECK", "PAGE_SKIPPED", "CHARGED_TWICE", "LOST_WAKE_UP"]


class JudgeError(RuntimeError):
    """SPIN gave no verdict; one line says why."""


class Judgement(NamedTuple):
    """What SPIN found."""

    outcomes: set[str]
    """Every possible outcome, as lines.py writes it."""
    verdicts: dict[str, bool]
    """Claim -> whether it holds."""
    states: int
    """Distinct states stored."""
    seconds: float
    """Wall time of the search, without compiling it."""


def outcomes(
    scenario: str,
    design: Design,
    policy: Policy,
    pages: int,
    batch: int,
    *,
    mutant: Mutant | None = None,
    reduction: bool = False,
    optimization: Literal["-O0", "-O2"] = "-O2",
    most_memory_mb: int = 8192,
) -> Judgement:
    """Search every schedule of a scenario.

    Args:
        scenario: name in `scenarios.SCENARIOS`.
        design: of mlock(): the original or the RFC's.
        policy: of mmap_sem: first in, first out with hand-over, or anybody whom the mode allows.
        pages: size of the address space, 3 to 6.
        batch: pages that the RFC's design populates under one shared hold.
        mutant: which line of the model to make wrong.
        reduction: partial-order reduction; it keeps outcomes and verdicts, not the states.
        optimization: of gcc for the search; up to a million states, -O0 is faster in all.
        most_memory_mb: memory that the search may use.

    Raises:
        JudgeError: SPIN or a C compiler is missing, or the search did not finish.
    """
    case = _case(SCENARIOS[scenario](pages), design, policy, pages, batch, mutant)
    flags = [optimization, "-DSAFETY", f"-DMEMLIM={most_memory_mb}"]
    if not reduction:
        flags.append("-DNOREDUCE")
    with tempfile.TemporaryDirectory(prefix="rfcsim-spin-") as folder:
        (Path(folder) / "case.pml").write_text(case)
        _run(["spin", "-a", "case.pml"], folder)
        _run(["gcc", *flags, "-o", "pan", "pan.c"], folder)
        began = time.perf_counter()
        # Go on after an error; begin with a hash table of 2^20 slots, which grows.
        report = _run(["./pan", "-c0", "-w20"], folder)
        return _read(report, time.perf_counter() - began)


def _case(
    tasks: tuple[Task, ...],
    design: Design,
    policy: Policy,
    pages: int,
    batch: int,
    mutant: Mutant | None,
) -> str:
    """The file that SPIN reads: which case it is, the model, the tasks."""
    calls = [call for task in tasks for call in task]
    interfered = [
        f"({call.start} <= (page) && (page) < {call.start + call.pages})"
        for call in calls
        if call.interferes
    ]
    lines = [
        f"#define PAGES {pages}",
        f"#define CALLS {len(calls)}",
        f"#define BATCH {batch}",
        f"#define interfered(page) ({' || '.join(interfered) or 'false'})",
    ]
    if design == "batched":
        lines.append("#define BATCHED")
    if policy == "fifo":
        lines.append("#define FIFO")
    if mutant is not None:
        lines.append(f"#define MUTANT_{mutant}")
    lines.append(f'#include "{MODEL}"')
    numbers = iter(range(len(calls)))
    for number, task in enumerate(tasks):
        body = "; ".join(_statement(next(numbers), call) for call in task)
        lines.append(f"active proctype task{number}() {{ {body} }}")
    return "\n".join([*lines, ""])


def _statement(number: int, call: Call) -> str:
    if call.name == "touch":
        return f"touch({number}, {call.start})"
    return f"{call.name}({number}, {call.start}, {call.start + call.pages})"


def _run(command: list[str], folder: str) -> str:
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise JudgeError(
            f"{command[0]} is missing: tests/spin/ensure-spin.sh installs what is needed"
        ) from None
    if ran.returncode:
        last = (ran.stdout.strip() or "no message").splitlines()[-1]
        raise JudgeError(f"{command[0]} ended with {ran.returncode}: {last}")
    return ran.stdout


def _read(report: str, seconds: float) -> Judgement:
    """What the report of a search says; JudgeError if the search was not complete."""
    cut = re.search("max search depth too small|MEMLIM|out of memory|not completed", report)
    stored = re.search(r"^ *(\d+) states, stored", report, re.MULTILINE)
    if cut or not stored:
        reason = cut[0] if cut else "no count of states"
        raise JudgeError(f"SPIN's search is incomplete: {reason}")
    return Judgement(
        outcomes=set(re.findall("^outcome: (.*)$", report, re.MULTILINE)),
        verdicts={claim: f": {said} (at depth" not in report for claim, said in CLAIMS.items()},
        states=int(stored[1]),
        seconds=seconds,
    )
