// Draws every chart of the page from the specification that stands in it, for the width and the
// theme that the page has. `build.py` puts this together with Vega into one script, which defines
// vegaEmbed, and with DARK: what to draw on a dark page instead of which colour.

const INK = DARK["#000000"];
const SMALLEST = 0.7; // of its size: a chart that has less room is laid out anew, narrower
const NARROWEST = 0.4; // of its width, to be laid out at

// Data keep their colours: what is shaded by them brings its own ground and ink.
const IS_DATA = new Set(["data", "datasets"]);

// A specification in which `change` has seen every value, with the keys that lead to it.
function changed(value, change, path = []) {
  if (IS_DATA.has(path.at(-1))) return value;
  if (Array.isArray(value)) return value.map((inner) => changed(inner, change, path));
  if (value === null || typeof value !== "object") return change(value, path);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, changed(inner, change, [...path, key])]),
  );
}

const inTheDark = (value) => (typeof value === "string" && DARK[value]) || value;

// The plots of a chart at a share of their width; a text at a plot's right edge follows it.
function narrower(specification, share) {
  return changed(specification, (value, path) => {
    const [outer, key] = path.slice(-2);
    const isWidth = path.at(-1) === "width" || (outer === "x" && key === "value");
    return isWidth && value >= 100 ? Math.round(value * share) : value;
  });
}

function isDark() {
  const { theme } = document.body.dataset;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

class Chart {
  constructor(place) {
    this.place = place;
    this.specification = JSON.parse(place.querySelector("script").textContent);
    this.chosen = {}; // where the sliders stand
  }

  async draw() {
    const wanted = this.place.clientWidth / SMALLEST;
    let width = await this.embed(this.specification);
    if (width > wanted) {
      // Titles and axes take what they take: two drawings tell how much the rest has to give.
      const half = await this.embed(narrower(this.specification, 0.5));
      const share = half < width ? 1 - (0.5 * (width - wanted)) / (width - half) : 1;
      width = await this.embed(narrower(this.specification, Math.max(share, NARROWEST)));
    }
  }

  async embed(specification) {
    const dark = isDark();
    const { view } = (this.result = await vegaEmbed(
      this.place,
      dark ? changed(specification, inTheDark) : specification,
      {
        mode: "vega-lite",
        renderer: "svg",
        actions: false,
        tooltip: { theme: dark ? "dark" : "light" },
        config: {
          aria: false, // the description says what it shows, in a sentence
          header: dark ? { labelColor: INK, titleColor: INK } : {},
        },
      },
    ));
    for (const [name, value] of Object.entries(this.chosen)) view.signal(name, value);
    await view.runAsync();
    this.describe(view);
    this.place.dataset.theme = dark ? "dark" : "light";
    return this.place.querySelector("svg").viewBox.baseVal.width;
  }

  describe(view) {
    const drawing = this.place.querySelector("svg");
    for (const part of drawing.querySelectorAll("[role]")) part.removeAttribute("role");
    drawing.setAttribute("role", "img"); // one picture, whose parts need no names of their own
    drawing.setAttribute("aria-label", this.specification.description);
    const bound = (this.specification.params ?? []).filter((parameter) => parameter.bind);
    for (const { name, bind } of bound) {
      const slider = this.place.querySelector(`input[name="${name}"]`);
      const tell = () => {
        // The slider counts places; which value is chosen the chart says in its title.
        const said = [...drawing.querySelectorAll("text")].map((text) => text.textContent);
        const chosen = said.find((text) => text.includes(`(${bind.name}`)) ?? `(${slider.value})`;
        slider.setAttribute("aria-valuetext", chosen.slice(chosen.lastIndexOf("(") + 1, -1));
      };
      slider.setAttribute("aria-label", bind.name.replace(/:\s*$/, ""));
      view.addSignalListener(name, (_, value) => {
        this.chosen[name] = value;
        view.runAsync().then(tell);
      });
      tell();
    }
  }
}

// What is wider than the page scrolls by itself; the keyboard has to reach it then.
function reachable() {
  for (const part of document.querySelectorAll(
    ".vega-lite, .output.text_html, .table-wrapper, pre, .math",
  )) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const page = document.documentElement;
  const charts = [...document.querySelectorAll(".vega-lite")].map((place) => new Chart(place));

  // The page may change while it is being drawn; then it is drawn once more.
  let asked = 0;
  let drawing = false;
  async function draw() {
    asked += 1;
    if (drawing) return;
    drawing = true;
    for (let done = 0; done !== asked; ) {
      done = asked;
      for (const chart of charts) await chart.draw();
    }
    drawing = false;
    reachable();
    page.dataset.drawn = `${isDark() ? "dark" : "light"} ${page.clientWidth}`;
  }

  let width = page.clientWidth;
  addEventListener("resize", () => {
    if (page.clientWidth === width) return; // only the address bar of a phone went away
    width = page.clientWidth;
    draw();
  });
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
});
