"""What a reader can do on a page: choose, search, change the theme, all of it by keyboard too."""

from pathlib import Path

import pytest

from rfcsim.charts import theme
from tests.browser.reader import Reader
from tests.browser.test_pages import NOTEBOOKS, rgb

CONTROLS = """() => [...document.querySelectorAll(
  "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])"
)].filter((control) => control.checkVisibility({visibilityProperty: true})
  && control.type !== "hidden" && !control.closest("[inert]")).map((control, number) => {
  control.dataset.number = number;
  return control.outerHTML.slice(0, 120);
})"""
MARKS = "chart => [...chart.querySelectorAll('.role-mark')].map((m) => m.outerHTML).join()"
WITH_CONTROLS = ["notebooks/04_batch_size", "notebooks/07_your_kernel", "notebooks/09_explorer"]
FOCUSED = "() => document.activeElement?.dataset.number ?? null"


def with_sliders(book: Path) -> list[str]:
    return [name for name in NOTEBOOKS if '"input": "range"' in (book / f"{name}.html").read_text()]


def test_sliders_change_the_marks(reader: Reader, book: Path) -> None:
    pages = with_sliders(book)
    assert pages
    for name in pages:
        reader.open(name)
        charts = reader.page.locator(".vega-lite:has(input[type=range])")
        assert charts.count() > 0
        for chart in charts.all():
            slider = chart.locator("input[type=range]")
            marks, said = set(), set()
            for key in ("Home", "ArrowRight", "End"):
                slider.press(key)
                reader.settle()
                marks.add(chart.evaluate(MARKS))
                said.add(slider.get_attribute("aria-valuetext"))
            assert len(marks) == len(said) >= 2, (name, said)


def test_menus_change_the_marks(reader: Reader) -> None:
    reader.open("notebooks/09_explorer")
    chart = reader.page.locator(".vega-lite:has(select)")
    menus = chart.locator("select")
    assert menus.count() == 5
    for menu in menus.all():
        there, back = "ArrowDown", "ArrowUp"
        if menu.evaluate("menu => menu.selectedIndex === menu.length - 1"):
            there, back = back, there
        before = chart.evaluate(MARKS)
        menu.press(there)
        reader.page.wait_for_function(
            f"([chart, before]) => ({MARKS})(chart) !== before",
            arg=[chart.element_handle(), before],
        )
        menu.press(back)


def test_a_slider_stays_where_it_is_when_the_page_is_drawn_again(
    reader: Reader, book: Path
) -> None:
    reader.open(with_sliders(book)[0])
    slider = reader.page.locator(".vega-lite input[type=range]").first
    slider.focus()
    reader.page.keyboard.press("End")
    chosen = slider.input_value()
    reader.turn("dark", 380)
    slider = reader.page.locator(".vega-lite input[type=range]").first
    assert slider.input_value() == chosen
    assert chosen == slider.get_attribute("max")


@pytest.mark.parametrize("width", [1400, 380])
@pytest.mark.parametrize("name", ["index", "search", *WITH_CONTROLS])
def test_the_keyboard_reaches_every_control(reader: Reader, name: str, width: int) -> None:
    reader.open(name, width=width)
    controls = reader.page.evaluate(CONTROLS)
    assert len(controls) > 5
    reached = set()
    for _ in range(len(controls) + 5):
        reader.page.keyboard.press("Tab")
        reached.add(reader.page.evaluate(FOCUSED))
    missed = [html for number, html in enumerate(controls) if str(number) not in reached]
    assert missed == []


def test_the_theme_can_be_chosen(reader: Reader) -> None:
    reader.open("notebooks/00_start_here", theme="light")
    button = reader.page.locator("button.theme-toggle:visible").first
    grounds = set()
    for _ in range(3):  # by the system, light, dark
        button.press("Enter")
        chosen = reader.page.locator("body").get_attribute("data-theme")
        reader.wait("dark" if chosen == "dark" else "light", 1400)
        grounds |= {(chosen, chart["ground"]) for chart in reader.charts()}
    light, dark = rgb(theme.GROUND), rgb(theme.DARK[theme.GROUND])
    assert grounds == {("auto", light), ("light", light), ("dark", dark)}


def test_search_finds_a_page_from_a_file(reader: Reader) -> None:
    reader.open("search", query="?q=convoy")
    results = reader.page.locator("#search-results li a")
    results.first.wait_for()
    found = [result.get_attribute("href") or "" for result in results.all()]
    assert any("glossary" in address for address in found)
    results.first.click()
    reader.page.wait_for_selector("html[data-drawn]")


def test_a_term_leads_to_its_explanation(reader: Reader) -> None:
    reader.open("notebooks/02_the_patch")
    term = reader.page.locator("a.term[href*=glossary]").first
    assert (term.get_attribute("title") or "").endswith(".")
    anchor = (term.get_attribute("href") or "").partition("#")[2]
    term.click()
    reader.page.wait_for_selector("html[data-drawn]")
    assert reader.page.locator(f"[id='{anchor}'] h3").is_visible()
