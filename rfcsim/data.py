"""The files of data/, which are beside the package in a checkout and inside it once installed."""

from pathlib import Path
from typing import Literal

from rfcsim.errors import RfcsimError

Kind = Literal["checks", "costs", "measurements", "presets", "traces"]

_SUFFIXES: dict[str, str] = {
    "checks": ".toml",
    "costs": ".toml",
    "measurements": ".parquet",
    "presets": ".toml",
    "traces": ".txt",
}
_PACKAGE = Path(__file__).parent


def _folder(kind: Kind) -> Path:
    installed = _PACKAGE / "_data"
    root = installed if installed.is_dir() else _PACKAGE.parent / "data"
    return root / kind


def data_names(kind: Kind) -> list[str]:
    """Name the data files of one kind.

    Parameters
    ----------
    kind : "checks", "costs", "measurements", "presets" or "traces"

    Returns
    -------
    list of str
        Names without their suffix, sorted.
    """
    return sorted(path.stem for path in _folder(kind).glob(f"*{_SUFFIXES[kind]}"))


def data_path(kind: Kind, name: str) -> Path:
    """Find one data file that comes with the package.

    Parameters
    ----------
    kind : "checks", "costs", "measurements", "presets" or "traces"
    name : str
        Its name, with or without the suffix, as `data_names` lists it.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    RfcsimError
        If there is no file of that name.
    """
    suffix = _SUFFIXES[kind]
    stem = name.removesuffix(suffix)
    names = data_names(kind)
    if stem not in names:
        raise RfcsimError(f"data/{kind}: no {name!r}; there are {', '.join(names)}")
    return _folder(kind) / f"{stem}{suffix}"
