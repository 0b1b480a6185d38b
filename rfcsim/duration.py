"""Durations as people read and write them."""

import re

from rfcsim.errors import RfcsimError

UNITS = ((1, "ns"), (10**3, "us"), (10**6, "ms"), (10**9, "s"))
_MINUTE_NS = 60 * 10**9
_HOUR_NS = 60 * _MINUTE_NS


def human(nanoseconds: float) -> str:
    """Write a duration in ns with three digits: "0", "43.2 ms", "14 min 36 s", "2 h 05 min"."""
    if nanoseconds == 0:
        return "0"
    if nanoseconds >= 0.9995 * _HOUR_NS:
        minutes = round(nanoseconds / _MINUTE_NS)
        return f"{minutes // 60} h {minutes % 60:02} min"
    if nanoseconds >= 0.9995 * _MINUTE_NS:
        seconds = round(nanoseconds / 10**9)
        return f"{seconds // 60} min {seconds % 60:02} s"
    for scale, unit in UNITS:
        value = nanoseconds / scale
        if value < 999.5 or unit == "s":
            break
    if unit == "ns" and value == int(value):
        return f"{int(value)} ns"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def nanoseconds(text: str) -> int:
    """Read a duration with its unit, "1ms", "250 us", "1.5s", as whole nanoseconds.

    Raises
    ------
    RfcsimError
        If the text is no duration; one line.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(ns|us|ms|s)", str(text).strip())
    if found is None:
        raise RfcsimError(f"{text!r}: must be a number with its unit, ns, us, ms or s: 1ms")
    return round(float(found[1]) * {unit: scale for scale, unit in UNITS}[found[2]])
