"""A few lines to paste, in C and in Python: how to lock memory as recommended."""

from rfcsim.live.probe import TOUCHING

_C_CALLS = {
    "mlock": "mlock(start + done, now)",
    "populate": "madvise(start + done, now, MADV_POPULATE_WRITE)",
    "onfault-populate": "madvise(start + done, now, MADV_POPULATE_WRITE)",
}
_PYTHON_CALLS = {
    "mlock": "libc.mlock(pointer(start + done), size(now))",
    "populate": "libc.madvise(pointer(start + done), size(now), 23)",  # MADV_POPULATE_WRITE
}


def in_c(method: str, piece_pages: int | None, pause_us: float) -> str:
    """A function in C that locks whole pages, or only makes them present.

    Parameters
    ----------
    method : str
        "mlock", "populate", "onfault-populate", "onfault-touch" or "touch", as in a `Probe`.
    piece_pages : int or None
    pause_us : float
    """
    lines = ["int lock_pages(char *start, size_t bytes) /* of whole pages */", "{"]
    if method in TOUCHING or piece_pages is not None:
        lines += ["    size_t page = sysconf(_SC_PAGESIZE);"]
    if method.startswith("onfault"):
        lines += ["    if (mlock2(start, bytes, MLOCK_ONFAULT))", "        return -1;"]
    if method in TOUCHING:
        lines += [
            "    for (size_t done = 0; done < bytes; done += page)",
            "        __atomic_fetch_or(start + done, 0, __ATOMIC_RELAXED); /* changes nothing */",
        ]
    else:
        piece = "bytes" if piece_pages is None else f"{piece_pages} * page"
        lines += [
            f"    size_t piece = {piece};",
            "    for (size_t done = 0; done < bytes; done += piece) {",
            "        size_t now = bytes - done < piece ? bytes - done : piece;",
            f"        if ({_C_CALLS[method]})",
            "            return -1;",
            *([f"        usleep({pause_us:.0f});"] if pause_us else []),
            "    }",
        ]
    head = ["#define _GNU_SOURCE", "#include <sys/mman.h>", "#include <unistd.h>", ""]
    if "populate" in method:  # headers older than glibc 2.35 do not have it
        head += ["#ifndef MADV_POPULATE_WRITE", "#define MADV_POPULATE_WRITE 23", "#endif", ""]
    return "\n".join([*head, *lines, "    return 0;", "}", ""])


def in_python(method: str, piece_pages: int | None, pause_us: float) -> str:
    """Python that locks a contiguous NumPy array, or only makes it present.

    Parameters
    ----------
    method, piece_pages, pause_us
        As in `in_c`.
    """
    if method == "onfault-populate":
        arguments = ["array"]
        arguments += [] if piece_pages is None else [f"piece_pages={piece_pages}"]
        arguments += [f"pause_us={pause_us:g}"]
        return f"import rfcsim\n\nlocked = rfcsim.lock_memory({', '.join(arguments)})\n"
    lines = ["import ctypes", "import mmap"]
    lines += ["import time"] if pause_us else []
    lines += ["", "import numpy as np", ""] if method in TOUCHING else [""]
    lines += [
        "if not array.flags.forc:",
        '    raise ValueError("array: must be contiguous")',
        "libc = ctypes.CDLL(None, use_errno=True)",
        "pointer, size, page = ctypes.c_void_p, ctypes.c_size_t, mmap.PAGESIZE",
        "start = array.ctypes.data // page * page",
        "nbytes = array.ctypes.data + array.nbytes - start",
    ]
    fails = 'raise OSError(ctypes.get_errno(), "cannot lock")'
    if method == "onfault-touch":
        lines += ["if libc.mlock2(pointer(start), size(nbytes), 1):  # MLOCK_ONFAULT"]
        lines += [f"    {fails}"]
    if method in TOUCHING:
        lines += [
            'flat = array.ravel("A").view(np.uint8)  # no copy, in Fortran order either',
            "flat[::page] |= 0  # changes nothing",
            "flat[-1:] |= 0",
        ]
        return "\n".join([*lines, ""])
    piece = "nbytes" if piece_pages is None else f"{piece_pages} * page"
    lines += [
        f"piece = {piece}",
        "for done in range(0, nbytes, piece):",
        "    now = min(piece, nbytes - done)",
        f"    if {_PYTHON_CALLS[method]}:",
        f"        {fails}",
        *([f"    time.sleep({pause_us:g}e-6)"] if pause_us else []),
    ]
    return "\n".join([*lines, ""])
