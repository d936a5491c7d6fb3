// Tables that sort and filter. A row that is opened keeps its details behind it.

const rowsOf = (body) =>
  [...body.rows]
    .filter((tr) => !tr.matches(".detail, .group"))
    .map((tr) => [tr, tr.classList.contains("open") ? tr.nextElementSibling : null]);

function sortBy(table, th) {
  const place = th.cellIndex;
  const isNumber = th.dataset.sort === "number";
  const flipped = { ascending: "descending", descending: "ascending" };
  const direction = flipped[th.getAttribute("aria-sort")] ?? (isNumber ? "descending" : "ascending");
  for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const value = ([tr]) => tr.cells[place].dataset.value ?? tr.cells[place].textContent.trim();
  const compare = (a, b) => {
    if (!isNumber) return sign * value(a).localeCompare(value(b), "en", { numeric: true });
    const [x, y] = [Number(value(a)), Number(value(b))];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  };
  for (const body of table.tBodies) body.append(...rowsOf(body).sort(compare).flat().filter(Boolean));
}

function makeSortable(table) {
  for (const th of table.tHead.querySelectorAll("th[data-sort]")) {
    const button = make("button", { type: "button" }, ...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => sortBy(table, th));
  }
}

/** A field that keeps the rows in which every typed word occurs; `textOf` may take a while to give a row's whole text. */
function makeFilter(tools, table, textOf) {
  const input = make("input", { type: "search", placeholder: "Filter instructions", "aria-label": "Filter instructions" });
  const count = make("span", { class: "count", role: "status" });
  tools.append(input, count);
  input.addEventListener("input", async () => {
    const text = await textOf();
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = rowsOf(table.tBodies[0]);
    for (const [tr, detail] of rows) {
      const own = text(tr).toLowerCase();
      tr.hidden = !wanted.every((word) => own.includes(word));
      if (detail) detail.hidden = tr.hidden;
    }
    count.textContent = wanted.length ? `${rows.filter(([tr]) => !tr.hidden).length} of ${rows.length}` : "";
  });
}
