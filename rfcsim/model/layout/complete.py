"""What has to be complete is checked as it is imported: what was forgotten stops the import.

Names and sizes are taken from the constants themselves, so that there is nothing to forget.
"""

from collections.abc import Collection, Mapping
from typing import Any


def names_of(module: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the constants 0, 1, 2, ... that a module has so far, in lower case.

    Raises
    ------
    ImportError
        If a number is left out or there twice.
    """
    constants = _constants(module)
    numbers = sorted(constants.values())
    if numbers != list(range(len(numbers))):
        _refuse(module, f"has the numbers {numbers}: must be 0, 1, 2, ..., each once")
    return tuple(sorted((name.lower() for name in constants), key=lambda n: constants[n.upper()]))


def size_of(module: Mapping[str, Any]) -> int:
    """How many columns 0, 1, 2, ... a module has named so far; one may have several names.

    Raises
    ------
    ImportError
        If a number is left out.
    """
    numbers = sorted(set(_constants(module).values()))
    if numbers != list(range(len(numbers))):
        _refuse(module, f"has the columns {numbers}: must be 0, 1, 2, ..., none left out")
    return len(numbers)


def bits_of(module: Mapping[str, Any]) -> dict[str, int]:
    """The constants that a module has so far, by name: bits.

    Raises
    ------
    ImportError
        If they are not 1, 2, 4, ..., each once.
    """
    constants = _constants(module)
    bits = sorted(constants.values())
    if bits != [1 << place for place in range(len(bits))]:
        _refuse(module, f"has the bits {bits}: must be 1, 2, 4, ..., each once")
    return constants


def require_all(
    module: Mapping[str, Any], told: Collection[Any], wanted: Collection[Any], what_to_do: str
) -> None:
    """Raise ImportError if what a module tells of is not all that it has to, and no more."""
    missing = [str(name) for name in wanted if name not in told]
    unknown = [str(name) for name in told if name not in wanted]
    if missing:
        _refuse(module, f"says nothing of {', '.join(missing)}: {what_to_do}")
    if unknown:
        _refuse(module, f"tells of {', '.join(unknown)}, which there is not: {what_to_do}")


def _constants(module: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in module.items() if name.isupper() and type(value) is int}


def _refuse(module: Mapping[str, Any], why: str) -> None:
    raise ImportError(f"{module['__name__']} {why}")
