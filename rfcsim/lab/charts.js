// One picture whose specification stays, and whose data the kernel exchanges: no new compilation,
// so that it follows a slider. `widget.py` puts this together with Vega, which defines vegaEmbed.

async function render({ model, el }) {
  const options = { mode: "vega-lite", renderer: "svg", actions: false };
  const { view, finalize } = await vegaEmbed(el, model.get("specification"), options);
  el.setAttribute("role", "figure");
  el.setAttribute("aria-label", model.get("specification").description);
  const show = async () => {
    for (const [name, rows] of Object.entries(model.get("rows"))) view.data(name, rows);
    await view.resize().runAsync(); // legends may have moved
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
