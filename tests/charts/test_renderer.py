"""Outputs of notebooks and files: the same every time, drawn, and written whole or not at all."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import altair as alt
import pytest
import vl_convert

from rfcsim import charts
from rfcsim.charts import renderer, theme
from rfcsim.errors import RfcsimError
from tests.charts.examples import TRACE
from tests.charts.examples import charts as examples
from tests.charts.picture import has_colour, pixels

CHARTS = examples()
NAMES = sorted(CHARTS)

PROGRAM = """
import json
import rfcsim.charts, rfcsim.charts.renderer
from tests.charts.examples import charts
rfcsim.charts.enable()
print(json.dumps({n: rfcsim.charts.renderer.render(c.to_dict()) for n, c in charts().items()}))
"""


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def bundles() -> dict[str, dict]:
    return json.loads(python(PROGRAM, PYTHONHASHSEED="1").stdout)


def test_every_chart_is_among_the_examples() -> None:
    """Else nothing here looks at it: tests/charts/examples.py is to draw it, under its name."""
    assert {*charts.__all__} - {"enable", "save"} - {*CHARTS} == set()


# --- notebook outputs -----------------------------------------------------------------------------


def test_two_processes_make_the_same_outputs(bundles: dict[str, dict]) -> None:
    assert json.loads(python(PROGRAM, PYTHONHASHSEED="2").stdout) == bundles


@pytest.mark.parametrize("name", NAMES)
def test_an_output_has_a_specification_a_picture_and_words(
    bundles: dict[str, dict], name: str
) -> None:
    bundle = bundles[name]
    assert list(bundle) == ["application/vnd.vegalite.v5+json", "image/png", "text/plain"]
    assert bundle["text/plain"] == CHARTS[name].to_dict()["description"]
    assert len(base64.b64decode(bundle["image/png"])) <= renderer.MOST_PNG_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_shows_the_marks_on_the_charts_own_ground(
    bundles: dict[str, dict], name: str
) -> None:
    picture = pixels(base64.b64decode(bundles[name]["image/png"]))
    assert picture[0, 0].tolist() == [255, 255, 255, 255]
    assert (picture[:, :, 3] == 255).all()
    colours = [theme.STATE_COLOURS[theme.SHARED], theme.ACCENT]
    if name.startswith(("survival", "curves", "frontier", "law", "ratios")):
        colours = [colour for colour, _, _ in theme.SERIES[:2]]
    elif name in ("predictions", "sequence"):
        colours = [theme.INK]
    elif name == "call_sites":
        colours = [theme.STATE_COLOURS[mode] for mode in (theme.EXCLUSIVE, theme.SHARED)]
    elif "blame" in name:
        colours = [theme.BLAME_BARS[theme.HELD][0], theme.BLAME_BARS[theme.STOLEN][0]]
    elif name == "matrix":
        colours = [theme.LIGHTEST, theme.DARKEST, theme.ACCENT]
    assert all(has_colour(picture, colour) > 50 for colour in colours)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", ["5.8", "6.4"])
def test_every_chart_is_known_to_the_vega_lite_of_jupyterlab(
    bundles: dict[str, dict], name: str, version: str
) -> None:
    spec = bundles[name]["application/vnd.vegalite.v5+json"]
    vega = vl_convert.vegalite_to_vega(spec, vl_version=version)
    assert len(vega["marks"]) >= 2


def test_packing_a_picture_keeps_its_pixels() -> None:
    spec = CHARTS["holds of a trace"].to_dict()
    png = vl_convert.vegalite_to_png(spec, vl_version="6.4", scale=0.5)
    packed = renderer._pack(png)
    assert len(packed) < len(png)
    assert (pixels(packed) == pixels(png)).all()


def test_a_large_picture_is_made_coarser(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CHARTS["survival"].to_dict()
    fine = pixels(renderer._png(spec)).shape[1]
    monkeypatch.setattr(renderer, "MOST_PNG_BYTES", 100)
    assert pixels(renderer._png(spec)).shape[1] == round(fine / 1.5)


def test_importing_changes_nothing_and_enabling_does() -> None:
    state = "print(altair.renderers.active, altair.theme.active, altair.renderers.names())"
    before = python(f"import altair; {state}").stdout
    assert before
    assert python(f"import altair, rfcsim, rfcsim.charts; rfcsim.charts.save; {state}").stdout == (
        before
    )
    enabled = python(f"import altair, rfcsim; rfcsim.charts.enable(); {state}").stdout
    assert enabled.startswith("rfcsim rfcsim ")


def test_importing_the_package_does_not_load_altair() -> None:
    assert python("import rfcsim, sys; print('altair' in sys.modules)").stdout == "False\n"


# --- files ----------------------------------------------------------------------------------------


def test_a_page_needs_no_network_and_keeps_what_is_written_in_it(tmp_path: Path) -> None:
    path = tmp_path / "chart.html"
    title = 'a </script> "b" & <b>'
    charts.save(charts.timeline(TRACE, title=title, description=title), path)
    page = path.read_text()
    library, chart = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    rest = page.replace(library, "").replace(chart, "")
    assert len(rest) < 1500
    assert "&lt;/script&gt;" in rest
    assert not re.search(r"src=|href=|url\(|@import", rest)
    (spec,) = re.findall(r'vegaEmbed\("#chart", (.*), \{renderer', chart)
    assert json.loads(spec)["title"]["text"] == title
    assert "window.vegaEmbed=" in library


def test_every_suffix_has_the_theme_and_leaves_the_sessions_own(tmp_path: Path) -> None:
    chart = CHARTS["survival"]
    with alt.theme.enable("dark"):
        for suffix in ("html", "png", "svg", "json"):
            charts.save(chart, tmp_path / f"chart.{suffix}")
            assert alt.theme.active == "dark"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "chart.html",
        "chart.json",
        "chart.png",
        "chart.svg",
    ]
    spec = json.loads((tmp_path / "chart.json").read_text())
    assert spec["config"]["background"] == theme.GROUND
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    assert pixels((tmp_path / "chart.png").read_bytes()).shape[1] > 600


@pytest.mark.parametrize("name", ["chart", "chart.pdf", "chart.PNG", ".png"])
def test_another_suffix_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(RfcsimError, match=r"allowed are \.html, \.png, \.svg, \.json$"):
        charts.save(CHARTS["holds"], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RfcsimError, match=r"x\.json: cannot be written: No such file"):
        charts.save(CHARTS["holds"], tmp_path / "missing" / "x.json")


@pytest.mark.parametrize("step", ["to_dict", "fsync", "replace"])
def test_what_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "chart.svg"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "to_dict":
        monkeypatch.setattr(alt.LayerChart, "to_dict", fail)
    else:
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError if step == "to_dict" else RfcsimError, match="No space left"):
        charts.save(CHARTS["holds"], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_who_is_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "chart.json"
    path.write_text("old")
    killed = python(
        "import os, signal\n"
        "from rfcsim import charts\n"
        "from tests.charts.examples import charts as examples\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"charts.save(examples()['holds'], {str(path)!r})\n"
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
