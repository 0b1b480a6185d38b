"""Numba's `njit` with a cache that never runs stale code.

Numba keys a cached function by its own source file alone, so an edit in a module that it calls, or
in a constant that it reads, leaves the old machine code in use. Here every jitted function is kept
in a folder that is named after the content of *all* jitted sources, so that any edit makes a new
folder. If no folder can be written, functions are compiled again in each process.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import config, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from platformdirs import user_cache_path

PACKAGE = Path(__file__).parent
JITTED = (
    "_jit.py",
    "histogram.py",
    "model",
    "clock",
    "race",
    "live/calls.py",
    "live/loops.py",
)
KEPT_FOLDERS = 8  # fingerprints kept in the cache; older ones are removed


@cache
def fingerprint() -> str:
    """Content hash of every jitted source, with the versions that compile it."""
    digest = hashlib.sha256(f"numba {numba.__version__}".encode())
    for name in JITTED:
        path = PACKAGE / name
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if source.exists():
                digest.update(source.relative_to(PACKAGE).as_posix().encode())
                digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:20]


def cache_root() -> Path:
    """Folder of all fingerprints: below `NUMBA_CACHE_DIR` if set, else the user's cache folder."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) / "rfcsim" if chosen else user_cache_path("rfcsim") / "jit"


@cache
def cache_folder() -> Path | None:
    """The folder for this fingerprint, made if need be; None if nothing can be written."""
    folder = cache_root() / fingerprint()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
        os.utime(folder)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        _prune(folder.parent)
    return folder


def _prune(root: Path) -> None:
    folders = sorted(root.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


class _Locator(_CacheLocator):
    """Tells Numba where a function is cached; the folder's name is the freshness test."""

    def __init__(self, function: Callable, folder: Path) -> None:
        self._folder = folder
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "_Locator | None":
        folder = cache_folder()
        return None if folder is None else cls(py_func, folder)


class _CacheImpl(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    """A cache that may fail: what cannot be loaded is compiled, what cannot be saved is not kept.

    A file that was cut off by a full disk makes `pickle` raise nearly anything.
    """

    _impl_class = _CacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)


def njit(function: Callable) -> Any:
    """Compile a function that Python may call, cached by the content of all jitted sources.

    It runs without the GIL and cannot allocate. With `_nrt=False` Numba leaves out its reference
    counts, which take nine tenths of the time in functions over a dozen arrays.
    """
    dispatcher = _once(_compile(**_OPTIONS)(function))
    if dispatcher is not function and cache_folder() is not None:
        dispatcher._cache = _Cache(function)
    return dispatcher


def inner(function: Callable) -> Any:
    """Compile a function that only jitted code calls: without an entry for Python, inlined.

    Entries would take half of the time to compile. Without inlining, passing a dozen arrays from
    function to function would take most of the time to run.
    """
    return _once(_compile(no_cpython_wrapper=True, forceinline=True, **_OPTIONS)(function))


def cold(function: Callable) -> Any:
    """Compile a function that only jitted code calls, and seldom: it is called, not inlined.

    An inlined function is optimised again in each of its callers.
    """
    return _once(_compile(no_cpython_wrapper=True, forceinline=False, **_OPTIONS)(function))


def _once(dispatcher: Any) -> Any:
    """Have a function compiled once, not again for each constant that it is called with.

    Numba gives a constant argument a type of its own. Where it helps to know the constant, LLVM
    sees it when it inlines the call.
    """
    resolve = getattr(dispatcher, "get_call_template", None)
    if resolve is not None:  # there is none without the JIT
        dispatcher.get_call_template = lambda args, kws: resolve(
            tuple(map(types.unliteral, args)),
            {name: types.unliteral(kind) for name, kind in kws.items()},
        )
    return dispatcher


if getattr(config, "DISABLE_JIT", False):
    np.seterr(over="ignore")  # code that is not compiled wraps around silently, too

_compile: Any = numba.njit  # its declared types leave out these options
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
