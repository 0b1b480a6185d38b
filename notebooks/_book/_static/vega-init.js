// Draws every chart of the page from the specification that stands in it.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".vega-lite")) {
    const specification = JSON.parse(place.querySelector("script").textContent);
    vegaEmbed(place, specification, { renderer: "svg", actions: false });
  }
});
