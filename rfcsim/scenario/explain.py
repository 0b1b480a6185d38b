"""Say in one line what is wrong with a scenario: the field, its value and what is allowed."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import call

# Which words of a path are the discriminator of a union, not a key that the user wrote.
CALL_NAMES = call.NAMES[1:]  # without "none"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60

_KINDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}


def show(value: object) -> str:
    """Write a value as TOML would, on one line and shortened."""
    if isinstance(value, bool | str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, Mapping):
        text = "{...}" if value else "{}"
    elif isinstance(value, Sequence):
        text = "[...]" if value else "[]"
    else:
        text = " ".join(repr(value).split())
    return shorten(text)


def shorten(text: str) -> str:
    """Cut off a text that is too long for a message."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 4]} ..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names)}" if names else "there are none"


def check_known(
    what: str, word: str, known: Iterable[str], error: type[RfcsimError] = RfcsimError
) -> None:
    """Refuse a word that is not known; `what` begins the message: the argument and its value."""
    names = list(known)
    if word not in names:
        raise error(f"{what}: there is none; {did_you_mean(word, names)}")


def path(location: Sequence[str | int]) -> str:
    """Write the place of a field as the user would: ``tasks[0].calls[1].pages``."""
    text = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
        elif _is_discriminator(location, index):
            continue
        else:
            key = part if _BARE_KEY.fullmatch(part) else show(part)
            text += f".{key}" if text else key
    return text


def explain(error: ValidationError, fields: Mapping[str, Sequence[str]]) -> str:
    """One line for the first thing that is wrong; an unknown key comes before all else.

    A mistyped key is also reported as a missing one, and the typing error is what the user can
    act upon.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    fields : mapping of str to sequence of str
        The keys that each table knows, as `checked.known_keys` lists them: by the call's name, by
        the field that the table is the value of, and by the empty string for the outermost.
    """
    details = error.errors(include_url=False)
    first = next((d for d in details if d["type"] == "extra_forbidden"), details[0])
    location = first["loc"]
    kind = first["type"]
    context: dict[str, Any] = first.get("ctx", {})
    if kind == "value_error":
        # Checks of this package name the field themselves, below the table that they look at.
        prefix = path(location)
        message = str(context["error"])
        return f"{prefix}.{message}" if prefix else message
    if kind == "missing":
        return f"{path(location)}: missing, must be given"
    if kind == "extra_forbidden":
        known = _known(location[:-1], fields)
        return f"{path(location)}: unknown key; {did_you_mean(str(location[-1]), known)}"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _bad_call(location, first["input"], kind)
    return f"{path(location)} = {show(first['input'])}: {_allowed(kind, context, first['msg'])}"


def _is_discriminator(location: Sequence[str | int], index: int) -> bool:
    return index >= 2 and location[index - 2] == "calls" and location[index] in CALL_NAMES


def _known(location: Sequence[str | int], fields: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The keys of the table at a place; its own name comes last, or a key that the user chose."""
    names = [part for part in location if part in fields]
    return fields.get(str(names[-1]) if names else "", ())


def _bad_call(location: Sequence[str | int], given: object, kind: str) -> str:
    if kind == "union_tag_not_found":
        if not isinstance(given, Mapping):
            return f"{path(location)} = {show(given)}: must be a table"
        return f"{path(location)}.call: missing, must be one of {', '.join(CALL_NAMES)}"
    value = given.get("call") if isinstance(given, Mapping) else given
    where = f"{path(location)}.call = {show(value)}"
    near = difflib.get_close_matches(str(value), CALL_NAMES, n=1)
    end = f"; did you mean {near[0]}?" if near else ""
    return f"{where}: must be one of {', '.join(CALL_NAMES)}{end}"


def _allowed(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "greater_than_equal":
        return f"must be {context['ge']} or more"
    if kind == "greater_than":
        return f"must be more than {context['gt']:g}"
    if kind == "less_than_equal":
        return f"must be {context['le']} or less"
    if kind == "literal_error":
        return f"must be {context['expected']}".replace("'", '"')
    if kind == "too_short":
        return "must have at least one entry"
    if kind == "string_pattern_mismatch":
        return "must be 1 to 64 letters, digits, '_' or '-'"
    return message[:1].lower() + message[1:]
