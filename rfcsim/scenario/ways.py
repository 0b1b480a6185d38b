"""The ways in which kernels, and programs, can lock a range."""

from typing import Any

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import design
from rfcsim.scenario.calls import Mlock, Populate, RangeCall
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.process import TaskGroup
from rfcsim.scenario.scenario import Scenario

NEWEST = "vma-lock"  # the design under which programs lock in pieces


def ways_to_lock(
    scenario: Scenario,
    *,
    locker: str = "locker",
    piece_pages: int = 256,
    pause_ns: int = 40_000,
) -> dict[str, dict[str, Any]]:
    """Name the ways in which kernels, and programs, can lock a range.

    Parameters
    ----------
    scenario : Scenario
    locker : str
        The group of tasks that locks.
    piece_pages, pause_ns : int
        For the programs that lock in pieces: pages per piece, and the pause between two pieces.

    Returns
    -------
    dict of str to dict
        What each way changes in the scenario, for an axis of `sweep`. First every design, by its
        name, with the calls as they are. Then, on the newest design and with every mlock() in
        pieces, "mlock pieces" and "populate pieces" (mlock2(MLOCK_ONFAULT), then
        MADV_POPULATE_WRITE), and both with a pause.

    Raises
    ------
    RfcsimError
        One line, if there is no such group, or no mlock() in it.
    """
    groups = {group.name: group for group in scenario.tasks}
    check_known(f"locker = {show(locker)}", locker, groups)
    calls = groups[locker].calls
    if not any(isinstance(call, Mlock) for call in calls):
        raise RfcsimError(f"locker = {show(locker)}: must make an mlock call, but makes none")
    ways: dict[str, dict[str, Any]] = {name: {"design": name} for name in design.BY_NAME}
    for suffix, pause in (("", 0), (", pause", pause_ns)):
        for program in PROGRAMS:
            pieces = in_pieces(groups[locker], program, piece_pages, pause)
            ways[program + suffix] = {"design": NEWEST} | pieces
    return ways


def in_pieces(
    group: TaskGroup, program: str, piece_pages: int, pause_ns: int = 0
) -> dict[str, list[dict[str, Any]]]:
    """The change, for `Scenario.replace`, that makes every mlock() of a group in pieces.

    Parameters
    ----------
    group : TaskGroup
    program : str
        One of PROGRAMS.
    piece_pages, pause_ns : int
        Pages per piece, and the pause between two pieces.
    """
    pieces = {"piece_pages": piece_pages, "pause_ns": pause_ns}
    calls: list[dict[str, Any]] = []
    for call in group.calls:
        calls += PROGRAMS[program](call, pieces) if isinstance(call, Mlock) else [call.model_dump()]
    return {f"tasks.{group.name}.calls": calls}


def _mlock(call: Mlock, pieces: dict[str, int]) -> list[dict[str, Any]]:
    return [Mlock(**call.model_dump() | pieces).model_dump()]


def _populate(call: Mlock, pieces: dict[str, int]) -> list[dict[str, Any]]:
    place = call.model_dump(include=set(RangeCall.model_fields) - {"think_ns", "think"})
    whole = call.model_dump() | {"on_fault": True, "piece_pages": None, "pause_ns": 0}
    return [Mlock(**whole).model_dump(), Populate(**place | pieces).model_dump()]


PROGRAMS = {"mlock pieces": _mlock, "populate pieces": _populate}
