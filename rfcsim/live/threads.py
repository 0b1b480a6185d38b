"""Threads that begin together, each on its CPU, and that all end, whatever happens."""

import contextlib
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import NamedTuple

import numpy as np

from rfcsim.errors import LiveError
from rfcsim.live import limits
from rfcsim.live.loops import STOP

LOOK_S = 0.1  # how often to look for signals, such as Ctrl-C


class Work(NamedTuple):
    """What one thread does.

    Attributes
    ----------
    name : str
        The name of the thread, as traces show it: up to 15 characters.
    body : callable
        Returns 0 or an errno. It must end soon after `control[STOP]` is set.
    cpu : int or None
        The CPU of the thread; None means any.
    fifo : bool
        Whether it is a real-time thread.
    """

    name: str
    body: Callable[[], int]
    cpu: int | None = None
    fifo: bool = False


def run_together(control: np.ndarray, *works: Work) -> None:
    """Run each work in a thread of its own; return when all have ended.

    Affinity and priority are set only for these threads. On an error, or an interrupt, the others
    are told to stop, and are waited for.

    Parameters
    ----------
    control : int64[CONTROL_SIZE]
        Shared by the works.

    Raises
    ------
    LiveError
        If a work returned an errno, or its thread may not run as it should.
    """
    start = Barrier(len(works))

    def run(work: Work) -> int:
        try:
            with contextlib.suppress(OSError):
                Path("/proc/thread-self/comm").write_text(work.name)
            limits.pin(work.cpu, work.fifo)
        except OSError as error:
            start.abort()
            raise LiveError(f"{work.name}, CPU {work.cpu}: {error.strerror}") from None
        start.wait()
        number = 1
        try:
            number = work.body()
        finally:
            if number:  # it failed: the others must not go on without it
                control[STOP] = 1
        return number

    with ThreadPoolExecutor(len(works)) as pool:
        try:
            futures = [pool.submit(run, work) for work in works]
            # A signal that arrives just before a wait does not end it.
            while wait(futures, timeout=LOOK_S).not_done:
                pass
        finally:
            control[STOP] = 1
            start.abort()
    errors = [error for error in (future.exception() for future in futures) if error]
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    for work, future in zip(works, futures, strict=True):
        if number := future.result():
            name = errno.errorcode.get(number, str(number))
            raise LiveError(f"{work.name}: {name}: {os.strerror(number)}")
