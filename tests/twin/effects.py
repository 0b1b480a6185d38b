"""What a step asks of the world (rules 1).

A system call is a generator. What it does between two `yield`s is one step: one indivisible change
at one instant. What it yields is the effect of that step; it goes on when the effect is over.
"""

from typing import NamedTuple

from rfcsim.model.layout import work


class Cpu(NamedTuple):
    """Use the CPU for `units` of a class of work."""

    work: int
    units: int


class Down(NamedTuple):
    """Take `mmap_sem`; the next step runs once it is held."""

    mode: int


class Up(NamedTuple):
    """Release `mmap_sem`."""

    mode: int


class Submit(NamedTuple):
    """Hand a read of file pages to the disk and go on."""

    first: int
    count: int


class WaitPage(NamedTuple):
    """Sleep until the read that covers the page is done."""

    page: int


class Done(NamedTuple):
    """The call returns."""

    value: int


Effect = Cpu | Down | Up | Submit | WaitPage | Done

VISIT = Cpu(work.VMA_VISIT, 1)


def changes_made(changes: int) -> Cpu:
    """The work of a number of splits, merges, insertions or removals of VMAs."""
    return Cpu(work.VMA_CHANGE, changes) if changes else VISIT
