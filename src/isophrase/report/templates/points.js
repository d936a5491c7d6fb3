// Draws the projections of hidden states: one plane for each model, side by side.

const CIRCLE = "#m-circle";

/** How the marks of a panel's instructions look, from its table. */
function marksOf(panel) {
  const marks = new Map();
  for (const use of document.querySelectorAll(`#p${panel} table.rows .opener .key use`)) {
    marks.set(Number(use.closest("tr").dataset.row), [use.getAttribute("href"), use.getAttribute("class")]);
  }
  return marks;
}

async function plane(panel, name, method, tone) {
  const data = await load(panel);
  const points = data.points(method);
  await ensureRows(panel);
  const marks = marksOf(panel);
  const svg = drawn("svg", { class: "plot plane", role: "img" });
  const axes = method === "pca" ? ` Axes: ${data.geometry.explained.map((share) => percent(share)).join(" and ")} of the variance.` : "";
  svg.setAttribute("aria-label", `${points.length} states of ${name}.${axes}`);
  for (const { row, column, x, y } of points) {
    const value = data.value(row, column);
    const [shape, kind] = tone === "right" ? [CIRCLE, `mark ${value === null ? "unknown" : value >= 1 ? "is-right" : "is-wrong"}`] : marks.get(row) ?? [CIRCLE, "mark"];
    svg.append(drawn("use", { href: shape, class: kind, x: `${(50 + 47 * x).toFixed(2)}%`, y: `${(50 - 47 * y).toFixed(2)}%`, "data-row": row, "data-column": column }));
  }
  svg.addEventListener("pointerover", (event) => {
    if (event.target.matches("use")) showTip(event.target, panel);
  });
  svg.addEventListener("pointerout", hideTip);
  svg.addEventListener("click", (event) => {
    if (event.target.matches("use")) goTo(panel, event.target.dataset.row);
  });
  return make("div", {}, make("p", { class: "plane-name" }, foreign(name), axes), svg);
}

function planeLegend(panels, tone) {
  if (tone === "right") {
    const keys = [["is-right", "right"], ["is-wrong", "wrong"]].map(([kind, said]) =>
      make("li", {}, drawn("svg", { class: "key", width: 16, height: 16, "aria-hidden": "true" }, drawn("use", { href: CIRCLE, class: `mark ${kind}`, x: "50%", y: 8 })), foreign(said)));
    return make("ul", { class: "legend", "aria-label": "Marks" }, ...keys);
  }
  return document.querySelector(`#p${panels[0]} figure .legend`).cloneNode(true);
}

function makeProjection() {
  const figure = document.getElementById("projection");
  if (!figure) return;
  const tools = figure.querySelector(".tools");
  const [task, method, tone] = ["task", "method", "tone"].map((name) => tools.querySelector(`[data-choose=${name}]`));
  const planes = figure.querySelector(".planes");
  tools.hidden = false;
  const draw = async () => {
    const panels = task.selectedOptions[0].dataset.panels.split(" ").map(Number);
    const names = panels.map((panel) => document.getElementById(`p${panel}`).dataset.model);
    const made = await Promise.all(panels.map((panel, place) => plane(panel, names[place], method.value, tone.value)));
    planes.replaceChildren(...made, planeLegend(panels, tone.value));
  };
  for (const select of [task, method, tone]) select.addEventListener("change", draw);
  // Unpacking a task's data takes a moment, so it waits until somebody looks.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    draw();
  }, { rootMargin: "400px" });
  seen.observe(figure);
  addEventListener("beforeprint", () => planes.childElementCount || draw());
}
