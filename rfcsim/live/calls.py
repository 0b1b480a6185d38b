"""The operations that are timed: system calls, and accesses to pages, made by compiled code.

Compiled loops call libc directly, so neither the interpreter nor its lock stands between two
operations. Nothing here is compiled before it is used, so it can be imported on any system.
"""

from typing import NamedTuple

import numpy as np
from numba import types

from rfcsim._jit import cold, inner

# --- operations -------------------------------------------------------------------------------
NOTHING = 0  # to see what timing itself takes
SYSCALL = 1  # getppid()
SLEEP = 2  # clock_nanosleep() of `length` ns
SPIN = 3  # look at the clock for `length` ns
MLOCK = 4
MLOCK_ONFAULT = 5  # mlock2(MLOCK_ONFAULT)
MUNLOCK = 6
POPULATE_READ = 7  # madvise(MADV_POPULATE_READ)
POPULATE_WRITE = 8  # madvise(MADV_POPULATE_WRITE)
DROP = 9  # madvise(MADV_DONTNEED)
WRITE = 10  # write to one byte of each page
READ = 11  # read one byte of each page
PROTECT_READ = 12  # mprotect(PROT_READ)
PROTECT_WRITE = 13  # mprotect(PROT_READ | PROT_WRITE)
MAP_OVER = 14  # mmap(MAP_FIXED) over what is there
MAP_OVER_POPULATED = 15  # mmap(MAP_FIXED | MAP_POPULATE)
MAP = 16  # mmap() of a new range
UNMAP = 17  # munmap() of the range that MAP mapped last
READ_FILE = 18  # open(), read() to the end, close()
OPERATION_NAMES = (
    "nothing",
    "getppid",
    "nanosleep",
    "spin",
    "mlock",
    "mlock2(MLOCK_ONFAULT)",
    "munlock",
    "madvise(MADV_POPULATE_READ)",
    "madvise(MADV_POPULATE_WRITE)",
    "madvise(MADV_DONTNEED)",
    "write",
    "read",
    "mprotect(PROT_READ)",
    "mprotect(PROT_READ | PROT_WRITE)",
    "mmap(MAP_FIXED)",
    "mmap(MAP_FIXED | MAP_POPULATE)",
    "mmap",
    "munmap",
    "read file",
)

# --- words: int64[WORDS], what one thread keeps between operations ----------------------------
W_SECONDS = 0  # struct timespec ...
W_NANOSECONDS = 1  # ... as libc reads and writes it
W_PAGE_BYTES = 2
W_FILE = 3  # descriptor of the file behind the memory; -1: anonymous
W_MAPPED = 4  # address that MAP mapped last
W_READ = 5  # sum of what READ read, so that it is not optimised away
W_PASS = 6  # lock_range: the pass that it is in ...
W_DONE = 7  # ... and how many pages of that pass are done
W_BUFFER = 8  # from here to the end: room for what READ_FILE reads
BUFFER_BYTES = 32768
WORDS = W_BUFFER + BUFFER_BYTES // 8

# The kernel's numbers; they are the same on x86, Arm, RISC-V and POWER.
_CLOCK_MONOTONIC = 1
_MADV_DONTNEED = 4
_MADV_POPULATE_READ = 22
_MADV_POPULATE_WRITE = 23
_MCL_ONFAULT = 1  # MLOCK_ONFAULT
_PROT_READ = 1
_PROT_READ_WRITE = 3
_MAP_SHARED = 0x01
_MAP_PRIVATE_ANONYMOUS = 0x22
_MAP_FIXED = 0x10
_MAP_POPULATE = 0x8000
# From 6.7 on, a mapping with this flag gets no huge pages. A mapping made and populated by one
# mmap() could not be told so otherwise.
_MAP_STACK = 0x20000
_O_CLOEXEC = 0x80000


def _libc(name, result, *arguments):
    return types.ExternalFunction(name, result(*arguments))


_int, _long = types.int32, types.intp
_clock_gettime = _libc("clock_gettime", _int, _int, _long)
_clock_nanosleep = _libc("clock_nanosleep", _int, _int, _int, _long, _long)
_close = _libc("close", _int, _int)
_errno_location = _libc("__errno_location", types.CPointer(_int))
_getppid = _libc("getppid", _int)
_madvise = _libc("madvise", _int, _long, _long, _int)
_mlock = _libc("mlock", _int, _long, _long)
_mlock2 = _libc("mlock2", _int, _long, _long, _int)
_mmap = _libc("mmap", _long, _long, _long, _int, _int, _int, _long)
_mprotect = _libc("mprotect", _int, _long, _long, _int)
_munlock = _libc("munlock", _int, _long, _long)
_munmap = _libc("munmap", _int, _long, _long)
_open = _libc("open", _int, _long, _int)
_read = _libc("read", _long, _int, _long, _long)


class Bench(NamedTuple):
    """What one thread works on.

    memory : uint8[bytes], whole pages
    path : uint8[bytes], the path of the file that READ_FILE reads, ended by 0
    words : int64[WORDS]
    """

    memory: np.ndarray
    path: np.ndarray
    words: np.ndarray


@inner
def now(words):
    """CLOCK_MONOTONIC in ns."""
    _clock_gettime(_CLOCK_MONOTONIC, words.ctypes.data)
    return words[W_SECONDS] * 1_000_000_000 + words[W_NANOSECONDS]


@cold
def sleep(words, nanoseconds):
    words[W_SECONDS] = nanoseconds // 1_000_000_000
    words[W_NANOSECONDS] = nanoseconds % 1_000_000_000
    _clock_nanosleep(_CLOCK_MONOTONIC, 0, words.ctypes.data, 0)


@cold
def spin(words, nanoseconds):
    end = now(words) + nanoseconds
    while now(words) < end:
        pass


@cold
def _read_file(path, words):
    file = _open(path.ctypes.data, _O_CLOEXEC)
    if file < 0:
        return file
    result = 1
    while result > 0:
        result = _read(file, words.ctypes.data + 8 * W_BUFFER, BUFFER_BYTES)
    _close(file)
    return result


@cold
def _map_over(bench, start, length, flags):
    """Map anonymous memory, or the file behind the memory, over what is there."""
    file = bench.words[W_FILE]
    flags |= _MAP_FIXED | (_MAP_PRIVATE_ANONYMOUS | _MAP_STACK if file < 0 else _MAP_SHARED)
    address = bench.memory.ctypes.data + start
    return _mmap(address, length, _PROT_READ_WRITE, flags, file, start)


@cold
def _touch(operation, bench, start, length):
    memory, step = bench.memory, bench.words[W_PAGE_BYTES]
    if operation == WRITE:
        for byte in range(start, start + length, step):
            memory[byte] = 1
    else:
        total = 0
        for byte in range(start, start + length, step):
            total += memory[byte]
        bench.words[W_READ] += total
    return 0


@cold
def perform(operation, bench, start, length):
    """Do one operation on the bytes [start, start + length) of the memory; return 0 or errno."""
    address = bench.memory.ctypes.data + start
    words = bench.words
    result = 0
    if operation == SYSCALL:
        _getppid()
    elif operation == SLEEP:
        sleep(words, length)
    elif operation == SPIN:
        spin(words, length)
    elif operation == MLOCK:
        result = _mlock(address, length)
    elif operation == MLOCK_ONFAULT:
        result = _mlock2(address, length, _MCL_ONFAULT)
    elif operation == MUNLOCK:
        result = _munlock(address, length)
    elif operation == POPULATE_READ:
        result = _madvise(address, length, _MADV_POPULATE_READ)
    elif operation == POPULATE_WRITE:
        result = _madvise(address, length, _MADV_POPULATE_WRITE)
    elif operation == DROP:
        result = _madvise(address, length, _MADV_DONTNEED)
    elif operation in (WRITE, READ):
        result = _touch(operation, bench, start, length)
    elif operation == PROTECT_READ:
        result = _mprotect(address, length, _PROT_READ)
    elif operation == PROTECT_WRITE:
        result = _mprotect(address, length, _PROT_READ_WRITE)
    elif operation == MAP_OVER:
        result = _map_over(bench, start, length, 0)
    elif operation == MAP_OVER_POPULATED:
        result = _map_over(bench, start, length, _MAP_POPULATE)
    elif operation == MAP:
        result = _mmap(0, length, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, -1, 0)
        words[W_MAPPED] = result
    elif operation == UNMAP:
        result = _munmap(words[W_MAPPED], length)
    elif operation == READ_FILE:
        result = _read_file(bench.path, words)
    return _errno_location()[0] if result == -1 else 0
