// One picture whose specification stays, and whose data the kernel exchanges: no new compilation,
// so that it follows a slider. `widget.py` puts this together with Vega, which defines vegaEmbed.

async function render({ model, el }) {
  const options = { mode: "vega-lite", renderer: "svg", actions: false };
  // The words stay one element whose text changes: so a screen reader reads out what changed.
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  const picture = document.createElement("div");
  el.append(words, picture);
  const { view, finalize } = await vegaEmbed(picture, model.get("specification"), options);
  picture.setAttribute("role", "figure");
  picture.setAttribute("aria-label", model.get("specification").description);
  const show = async () => {
    for (const [name, rows] of Object.entries(model.get("rows"))) view.data(name, rows);
    await view.resize().runAsync(); // legends may have moved
    words.textContent = model.get("said");
    el.dataset.shown = model.get("shown"); // for whoever waits for it
  };
  model.on("change:rows", show);
  await show();
  return () => {
    model.off("change:rows", show);
    finalize();
  };
}

export default { render };
