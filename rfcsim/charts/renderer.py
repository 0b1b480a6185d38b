"""What a chart becomes: an output of a notebook, or a file."""

import base64
import json
import struct
import zlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from rfcsim.charts import theme
from rfcsim.errors import RfcsimError
from rfcsim.files import save_whole

# Altair 6 writes Vega-Lite 6. JupyterLab draws Vega-Lite 5 and has no MIME type for 6; the charts
# here use nothing that 5.8 does not know, and a test holds them to it.
MIME_TYPE = "application/vnd.vegalite.v5+json"
VEGA_LITE = "6.4"
PNG_SCALE, COARSE_PNG_SCALE = 1.5, 1.0  # pixels of the picture per pixel of the chart
MOST_PNG_BYTES = 60_000  # what one picture may add to a notebook


def render(spec: dict[str, Any], **_: object) -> dict[str, Any]:
    """Turn a chart into an output that JupyterLab draws live and GitHub shows as a picture.

    Altair finds this renderer under the name "rfcsim" (entry point group
    altair.vegalite.v6.renderer).

    Parameters
    ----------
    spec : dict
        A Vega-Lite specification.

    Returns
    -------
    dict
        MIME bundle: the specification, a PNG of it, and its description as the text alternative.
        The same specification gives the same bundle, on every machine and without a network.
    """
    # Without its schema the specification is read by whatever version the page has, silently.
    unversioned = {key: value for key, value in spec.items() if key != "$schema"}
    return {
        MIME_TYPE: unversioned,
        "image/png": base64.b64encode(_png(spec)).decode("ascii"),
        "text/plain": _description(spec),
    }


def enable() -> None:
    """Show charts of this session with the renderer and the theme of rfcsim."""
    alt.renderers.register(theme.NAME, render)
    alt.renderers.enable(theme.NAME)
    theme.register()
    alt.theme.enable(theme.NAME)


def save(chart: alt.TopLevelMixin, path: str | Path) -> None:
    """Write a chart to a file, whole or not at all.

    Parameters
    ----------
    chart : altair chart
    path : str or pathlib.Path
        .html (a page of its own that needs no network), .png, .svg or .json (Vega-Lite).

    Raises
    ------
    RfcsimError
        If the suffix is none of these, or the file cannot be written.
    """
    path = Path(path)
    writers = {".html": _html, ".png": _png, ".svg": _svg, ".json": _json}
    if path.suffix not in writers:
        raise RfcsimError(f"{path}: suffix is {path.suffix!r}, allowed are {', '.join(writers)}")
    theme.register()
    with alt.theme.enable(theme.NAME):
        spec = chart.to_dict()
    save_whole(path, writers[path.suffix](spec))


def _description(spec: dict[str, Any]) -> str:
    return spec.get("description", "Chart")


def _png(spec: dict[str, Any]) -> bytes:
    def png(scale: float) -> bytes:
        return _pack(vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=scale))

    fine = png(PNG_SCALE)
    return fine if len(fine) <= MOST_PNG_BYTES else png(COARSE_PNG_SCALE)


def _pack(png: bytes) -> bytes:
    """Compress a PNG again: the converter does it fast, and leaves it five times as large."""
    packed, pixels = [png[:8]], b""
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IDAT":  # one stream, in one chunk or several
            pixels += content
            continue
        if kind == b"IEND":
            packed.append(_chunk(b"IDAT", zlib.compress(zlib.decompress(pixels), 9)))
        packed.append(_chunk(kind, content))
    return b"".join(packed)


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _svg(spec: dict[str, Any]) -> bytes:
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE).encode()


def _json(spec: dict[str, Any]) -> bytes:
    return (json.dumps(spec, indent=1, sort_keys=True) + "\n").encode()


@cache
def _vega() -> str:
    """Vega, Vega-Lite and vega-embed as one script, which defines window.vegaEmbed."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)


def _html(spec: dict[str, Any]) -> bytes:
    description = escape(_description(spec), quote=True)
    # "</" would end the script element in which the specification stands.
    inline = json.dumps(spec, sort_keys=True).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{description}</title>
</head>
<body>
<div id="chart" role="img" aria-label="{description}"></div>
<script>(function () {{{_vega()}}})();</script>
<script>
vegaEmbed("#chart", {inline}, {{renderer: "svg", actions: false, mode: "vega-lite"}});
</script>
</body>
</html>
""".encode()
