// Draws every chart of the page from the specification that stands in it. `build.py` puts this
// together with Vega into one script, which defines vegaEmbed.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".vega-lite")) {
    const specification = JSON.parse(place.querySelector("script").textContent);
    vegaEmbed(place, specification, { mode: "vega-lite", renderer: "svg", actions: false });
  }
});
