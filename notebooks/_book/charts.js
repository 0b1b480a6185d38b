// Draws every chart of the page from the specification that stands in it, for the width and the
// theme that the page has. `build.py` puts this together with Vega into one script, which defines
// vegaEmbed, and with DARK: what to draw on a dark page instead of which colour.

const INK = DARK["#000000"];
const SMALLEST = 0.7; // of its size: a chart that has less room is laid out anew, narrower
const NARROWEST = 0.7; // of its width, to be laid out at; then texts in it begin to collide

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

// A text in lines of so many letters, broken between words.
function lines(text, letters) {
  const found = [""];
  for (const word of text.split(" ")) {
    const longer = `${found.at(-1)} ${word}`.trimStart();
    if (longer.length <= letters || found.at(-1) === "") found[found.length - 1] = longer;
    else found.push(word);
  }
  return found;
}

// Titles in lines that fit a width in pixels. A title that tells what a slider has chosen is an
// expression, which begins with the words that stay the same.
function wrapped(specification, width) {
  const title = (text) => lines(text, width / 9.5);
  const subtitle = (text) => [text].flat().flatMap((line) => lines(line, width / 7.2));
  const inLines = (text) => {
    if (typeof text === "string") return title(text);
    if (!text?.expr) return text;
    const words = /^"(?:[^"\\]|\\.)*"/;
    return { expr: text.expr.replace(words, (said) => JSON.stringify(title(JSON.parse(said)).join("\n"))) };
  };
  const view = { ...specification };
  if (typeof view.title === "string") view.title = title(view.title);
  else if (view.title) {
    view.title = { ...view.title, text: inLines(view.title.text) };
    if (view.title.subtitle) view.title.subtitle = subtitle(view.title.subtitle);
  }
  for (const parts of ["vconcat", "hconcat", "concat"]) {
    if (view[parts]) view[parts] = view[parts].map((part) => wrapped(part, width));
  }
  return view;
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
    this.chosen = {}; // where the sliders and menus stand
  }

  async draw() {
    const wanted = this.place.clientWidth / SMALLEST;
    const width = await this.embed(this.specification);
    if (width > wanted) {
      // Axes and legends take what they take: two drawings tell how much the plot has to give.
      const folded = wrapped(this.specification, wanted);
      const half = await this.embed(narrower(folded, 0.5));
      const share = half < width ? 1 - (0.5 * (width - wanted)) / (width - half) : 1;
      await this.embed(narrower(folded, Math.min(1, Math.max(share, NARROWEST))));
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
          lineBreak: "\n",
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
    drawing.setAttribute("aria-label", this.specification.description ?? "");
    const bound = (this.specification.params ?? []).filter((parameter) => parameter.bind);
    for (const { name, bind } of bound) {
      const control = this.place.querySelector(`[name="${name}"]`);
      const tell = () => {
        if (control.type !== "range") return; // a menu says itself what is chosen
        // The slider counts places; which value is chosen the chart says in its title.
        const said = [...drawing.querySelectorAll("text")].map((text) => text.textContent);
        const chosen = said.find((text) => text.includes(`(${bind.name}`)) ?? `(${control.value})`;
        control.setAttribute("aria-valuetext", chosen.slice(chosen.lastIndexOf("(") + 1, -1));
      };
      control.setAttribute("aria-label", bind.name.replace(/:\s*$/, ""));
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
      // One that cannot be drawn must not keep the others from it.
      for (const chart of charts) await chart.draw().catch(console.error);
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
