"""The threads of a probe, compiled: one locks memory, and others do what has to wait for it.

They run without the interpreter's lock, and end when `control[STOP]` is set.
"""

from typing import NamedTuple

import numpy as np
from numba import types

from rfcsim._jit import cold, inner, njit
from rfcsim.histogram import N_BUCKETS, bucket_of
from rfcsim.live.calls import (
    DROP,
    SLEEP,
    SPIN,
    W_DONE,
    W_PAGE_BYTES,
    W_PASS,
    now,
    perform,
    sleep,
)

# --- passes: one row for each time that lock_range goes through the range ---------------------
PASS_OPERATION = 0
PASS_PIECE_PAGES = 1  # pages of one operation
PASS_PAUSE_AFTER_NS = 2  # a pause follows an operation that took this long; NEVER: none does
PASS_SIZE = 3
NEVER = 2**62

# --- rounds: one row per operation of a round -------------------------------------------------
ROUND_OPERATION = 0
ROUND_FIRST_PAGE = 1
ROUND_PAGES = 2
ROUND_SIZE = 3

# --- control: shared by the threads of one run ------------------------------------------------
STOP = 0
BEGUN = 1  # lock_range is at work; rounds waits until then
STAMP = 2  # wake: when the other thread was woken
AWAKE = 3  # wake: the rounds in which it ran
CONTROL_SIZE = 4
_LOOK_NS = 20_000  # how often rounds looks whether lock_range has begun

# --- recorder ---------------------------------------------------------------------------------
STAT_COUNT = 0
STAT_SUM_NS = 1
STAT_MIN_NS = 2
STAT_MAX_NS = 3
N_STATS = 4

# Rows of the recorder.
ROW_ALL = 0  # lock_range: all of it; rounds: whole rounds
ROW_PAUSE = 1  # lock_range: its pauses; rounds: think times
ROW_FIRST = 2  # one row for each pass, or each operation of a round

_sem_init = types.ExternalFunction("sem_init", types.int32(types.intp, types.int32, types.int32))
_sem_post = types.ExternalFunction("sem_post", types.int32(types.intp))
_sem_wait = types.ExternalFunction("sem_wait", types.int32(types.intp))


class Recorder(NamedTuple):
    """Latencies, with one row for each thing that was timed.

    statistics : int64[rows, N_STATS]
    histograms : int64[rows, N_BUCKETS]
    """

    statistics: np.ndarray
    histograms: np.ndarray


def new_recorder(rows: int) -> Recorder:
    statistics = np.zeros((rows, N_STATS), np.int64)
    statistics[:, STAT_MIN_NS] = np.iinfo(np.int64).max
    return Recorder(statistics, np.zeros((rows, N_BUCKETS), np.int64))


@inner
def _record(recorder, row, nanoseconds):
    statistics = recorder.statistics
    statistics[row, STAT_COUNT] += 1
    statistics[row, STAT_SUM_NS] += nanoseconds
    if nanoseconds < statistics[row, STAT_MIN_NS]:
        statistics[row, STAT_MIN_NS] = nanoseconds
    if nanoseconds > statistics[row, STAT_MAX_NS]:
        statistics[row, STAT_MAX_NS] = nanoseconds
    recorder.histograms[row, bucket_of(nanoseconds)] += 1


@cold
def _pause(bench, recorder, pause_ns, spins):
    began = now(bench.words)
    perform(SPIN if spins else SLEEP, bench, 0, pause_ns)
    _record(recorder, ROW_PAUSE, now(bench.words) - began)


@njit
def lock_range(passes, bench, pause_ns, spins, until_ns, control, recorder):
    """Go through the whole memory in pieces, once for each pass; go on where it was left off.

    Parameters
    ----------
    passes : int64[passes, PASS_SIZE]
    bench : Bench
    pause_ns : int64, between two pieces
    spins : bool, pause by looking at the clock instead of sleeping
    until_ns : int64, by CLOCK_MONOTONIC: after this time, return when a piece is done
    control : int64[CONTROL_SIZE]
    recorder : Recorder

    Returns
    -------
    int64
        0, or the errno of the operation that failed: the first piece of pass `words[W_PASS]`
        that is not among its `words[W_DONE]` pages.
    """
    words = bench.words
    page_bytes = words[W_PAGE_BYTES]
    pages = bench.memory.shape[0] // page_bytes
    control[BEGUN] = 1
    began_all = now(words)
    ended = began_all
    while words[W_PASS] < passes.shape[0] and control[STOP] == 0:
        row = words[W_PASS]
        done = words[W_DONE]
        pages_now = min(passes[row, PASS_PIECE_PAGES], pages - done)
        began = now(words)
        error = perform(
            passes[row, PASS_OPERATION], bench, done * page_bytes, pages_now * page_bytes
        )
        ended = now(words)
        if error != 0:
            return error
        _record(recorder, ROW_FIRST + row, ended - began)
        done += pages_now
        last = done == pages
        words[W_PASS] = row + 1 if last else row
        words[W_DONE] = 0 if last else done
        # No pause follows the very last piece: nobody is kept out any more.
        at_end = last and row + 1 == passes.shape[0]
        if pause_ns > 0 and not at_end and ended - began >= passes[row, PASS_PAUSE_AFTER_NS]:
            _pause(bench, recorder, pause_ns, spins)
        if ended >= until_ns:
            break
    _record(recorder, ROW_ALL, ended - began_all)
    if words[W_PASS] == passes.shape[0]:
        control[STOP] = 1  # the threads that it makes wait need not go on
    return 0


@njit
def rounds(program, bench, step_pages, think_ns, most, until_ns, control, recorder):
    """Do a round of operations again and again, each round after a think time.

    It begins when `control[BEGUN]` is set, so that every round runs beside a locker.

    Parameters
    ----------
    program : int64[operations, ROUND_SIZE]
    bench : Bench
    step_pages : int64, how many pages further on each round works; where the memory ends, it is
        dropped, and the next round begins at its start
    think_ns : int64[n], think times, used over and over; 0: none
    most : int64, rounds
    until_ns : int64, begin no round after this time, by CLOCK_MONOTONIC
    control : int64[CONTROL_SIZE]
    recorder : Recorder

    Returns
    -------
    int64
        0, or the errno of the operation that failed.
    """
    words = bench.words
    page_bytes = words[W_PAGE_BYTES]
    bytes_ = bench.memory.shape[0]
    span_pages = 0
    for row in range(program.shape[0]):
        span_pages = max(span_pages, program[row, ROUND_FIRST_PAGE] + program[row, ROUND_PAGES])
    while control[BEGUN] == 0 and control[STOP] == 0:
        sleep(words, _LOOK_NS)
    moved_pages = 0
    for number in range(most):
        think = think_ns[number % think_ns.shape[0]]
        if think > 0:
            began = now(words)
            sleep(words, think)
            _record(recorder, ROW_PAUSE, now(words) - began)
        began_round = now(words)
        if control[STOP] != 0 or began_round >= until_ns:
            break
        ended = began_round
        for row in range(program.shape[0]):
            start = (program[row, ROUND_FIRST_PAGE] + moved_pages) * page_bytes
            length = program[row, ROUND_PAGES] * page_bytes
            began = now(words)
            error = perform(program[row, ROUND_OPERATION], bench, start, length)
            ended = now(words)
            if error != 0:
                return error
            _record(recorder, ROW_FIRST + row, ended - began)
        _record(recorder, ROW_ALL, ended - began_round)
        moved_pages += step_pages
        if (moved_pages + span_pages) * page_bytes > bytes_:
            perform(DROP, bench, 0, bytes_)
            moved_pages = 0
    return 0


@njit
def new_semaphores(semaphores):
    """Set two sem_t to 0; int64[2, 8] has room for them."""
    for row in range(2):
        _sem_init(semaphores[row].ctypes.data, 0, 0)


@njit
def wake(semaphores, bench, gap_ns, spins, most, control):
    """Wake the thread that runs `woken`, again and again, each time after `gap_ns`.

    Then sleep until that thread has run (or spin on the CPU, if `spins`).
    """
    words = bench.words
    for number in range(most):
        sleep(words, gap_ns)
        if control[STOP] != 0:
            break
        control[STAMP] = now(words)
        _sem_post(semaphores[0].ctypes.data)
        if spins:
            while control[AWAKE] <= number:
                now(words)
        else:
            _sem_wait(semaphores[1].ctypes.data)
    control[STOP] = 1
    _sem_post(semaphores[0].ctypes.data)


@njit
def woken(semaphores, bench, control, recorder):
    """Sleep until woken, and record how long it took from the wake-up to running."""
    while True:
        _sem_wait(semaphores[0].ctypes.data)
        ran = now(bench.words)
        if control[STOP] != 0:
            break
        _record(recorder, ROW_FIRST, ran - control[STAMP])
        control[AWAKE] += 1
        _sem_post(semaphores[1].ctypes.data)


@njit
def keep_busy(bench, least_ns, until_ns, control, recorder):
    """Use the CPU, and record how long each stretch on it lasts, and each gap after it."""
    words = bench.words
    began = now(words)
    last = began
    while control[STOP] == 0 and last < until_ns:
        time = now(words)
        if time - last >= least_ns:
            _record(recorder, ROW_FIRST, last - began)
            _record(recorder, ROW_FIRST + 1, time - last)
            began = time
        last = time
