"""The charts can be read in black and white, by the colour-blind, and on a dark page."""

from itertools import combinations

import numpy as np
import pytest

from rfcsim.charts import theme
from rfcsim.charts.timeline import _HALF_BAR


def linear(colour: str) -> np.ndarray:
    """Light of red, green and blue, from 0 to 1 (IEC 61966-2-1)."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2: 1 for the same lightness, 21 for black on white."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    lighter, darker = sorted((float(linear(c) @ weights) for c in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


# How a dichromat sees linear RGB: G. M. Machado et al., "A Physiologically-based Model for
# Simulation of Color Vision Deficiency" (2009), severity 1.0.
SEEN_WITH = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB under D65."""
    t = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: str, other: str, seen: np.ndarray) -> float:
    return float(np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))))


def test_the_yardsticks() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.2, 80.1, 67.2], abs=0.1)
    red_and_green = difference("#d62728", "#4d7d1e", np.array(SEEN_WITH["deuteranopia"]))
    assert red_and_green < difference("#d62728", "#4d7d1e", np.eye(3)) / 3


def test_the_modes_differ_in_lightness_and_waiting_in_height() -> None:
    exclusive = theme.STATE_COLOURS[theme.EXCLUSIVE]
    shared = theme.STATE_COLOURS[theme.SHARED]
    assert contrast(exclusive, shared) >= 3
    assert contrast(exclusive, theme.GROUND) >= 3
    assert contrast(shared, theme.GROUND) >= 2
    assert 3 * _HALF_BAR[theme.WAITING] <= min(_HALF_BAR[theme.EXCLUSIVE], _HALF_BAR[theme.SHARED])
    assert "thin" in theme.WAITING


@pytest.mark.parametrize("seen", SEEN_WITH.values(), ids=SEEN_WITH)
def test_the_states_differ_for_the_colour_blind(seen: list[list[float]]) -> None:
    colours = [*theme.STATE_COLOURS.values(), theme.GROUND]
    for one, other in combinations(colours, 2):
        assert difference(one, other, np.array(seen)) > 20


@pytest.mark.parametrize("seen", SEEN_WITH.values(), ids=SEEN_WITH)
def test_the_parts_of_a_wait_differ_for_the_colour_blind(seen: list[list[float]]) -> None:
    colours = [*(colour for colour, _, _ in theme.BLAME_BARS.values()), theme.GROUND]
    for one, other in combinations(colours, 2):
        assert difference(one, other, np.array(seen)) > 20


def test_the_parts_of_a_wait_differ_in_dashes_or_thickness() -> None:
    holds = {theme.EXCLUSIVE, theme.SHARED}
    looks = [look[1:] for kind, look in theme.BLAME_BARS.items() if kind not in holds]
    assert len(set(looks)) == len(looks)
    thickest = max(thickness for _, thickness in looks)
    for kind in holds:
        assert theme.BLAME_BARS[kind][2] > 1.5 * thickest
        assert theme.BLAME_BARS[kind][0] == theme.STATE_COLOURS[kind]
    dashed = [drawn_pixels(dashes) for dashes, thickness in looks if thickness == thickest]
    assert min(int((a != b).sum()) for a, b in combinations(dashed, 2)) >= 4
    thin = theme.BLAME_BARS[theme.WAKING][2]
    assert thin < thickest / 2
    assert "thin" in theme.WAKING


def test_lines_differ_in_colour_dashes_and_end_marks_each() -> None:
    colours, dashes, shapes = zip(*theme.SERIES, strict=True)
    for differing in (colours, dashes, shapes):
        assert len(set(differing)) == len(theme.SERIES)
    # Dash patterns that begin alike look alike, so compare them over their first 24 pixels.
    drawn = [drawn_pixels(pattern) for pattern in dashes]
    assert min(int((a != b).sum()) for a, b in combinations(drawn, 2)) >= 4
    assert all(contrast(colour, theme.GROUND) >= 2 for colour in colours)


def drawn_pixels(pattern: tuple[int, ...]) -> np.ndarray:
    once = [i % 2 == 0 for i, length in enumerate(pattern) for _ in range(length)]
    return np.resize(np.array(once), 24)


def test_text_is_read_on_the_charts_own_ground() -> None:
    assert theme.theme().get("config", {}).get("background") == theme.GROUND
    assert contrast(theme.INK, theme.GROUND) >= 7
    assert contrast(theme.GREY, theme.GROUND) >= 7


def on_a_dark_page(colour: str) -> str:
    return theme.DARK.get(colour, colour)


def test_a_dark_page_has_the_same_contrasts() -> None:
    ground = on_a_dark_page(theme.GROUND)
    assert contrast(on_a_dark_page(theme.INK), ground) >= 7
    assert contrast(on_a_dark_page(theme.GREY), ground) >= 7
    drawn = {
        *theme.STATE_COLOURS.values(),
        *theme.MODE_COLOURS.values(),
        *(colour for colour, _, _ in theme.BLAME_BARS.values()),
        *(colour for colour, _, _ in theme.SERIES),
    }
    for colour in drawn:
        assert contrast(on_a_dark_page(colour), ground) >= 3, colour
    for mode in (theme.EXCLUSIVE, theme.SHARED):  # with text on it, as in a matrix of call sites
        ink = theme.GROUND if mode == theme.EXCLUSIVE else theme.INK
        cell = on_a_dark_page(theme.STATE_COLOURS[mode])
        assert contrast(on_a_dark_page(ink), cell) >= 4.5, mode


@pytest.mark.parametrize("seen", SEEN_WITH.values(), ids=SEEN_WITH)
@pytest.mark.parametrize("bars", ["STATE_COLOURS", "BLAME_BARS"])
def test_bars_differ_for_the_colour_blind_on_a_dark_page(
    bars: str, seen: list[list[float]]
) -> None:
    looks = [look if isinstance(look, str) else look[0] for look in getattr(theme, bars).values()]
    colours = [on_a_dark_page(colour) for colour in (*looks, theme.GROUND)]
    for one, other in combinations(colours, 2):
        assert difference(one, other, np.array(seen)) > 20, (one, other)
