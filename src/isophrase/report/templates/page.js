// Makes the page's static tables and plots respond: opening, sorting, filtering, tooltips, and the keyboard.

const rowOf = (panel, row) => document.getElementById(`p${panel}-i${row}`);
const panelOf = (node) => Number(node.closest("[data-panel]").dataset.panel);

async function toggle(tr, open = null) {
  const button = tr.querySelector("button.opener");
  const isOpen = button.getAttribute("aria-expanded") === "true";
  if (open === isOpen) return;
  button.setAttribute("aria-expanded", String(!isOpen));
  tr.classList.toggle("open", !isOpen);
  if (isOpen) {
    tr.nextElementSibling.remove();
    return;
  }
  const cell = make("td", { colspan: tr.children.length });
  const detail = make("tr", { class: "detail", id: button.getAttribute("aria-controls") }, cell);
  detail.hidden = tr.hidden;
  tr.after(detail);
  const data = await load(panelOf(tr));
  cell.replaceChildren(instructionDetail(data, Number(tr.dataset.row)));
}

function makeOpener(tr) {
  const words = tr.querySelector(".opener");
  const button = make("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": `${tr.id}-detail` });
  button.append(...words.childNodes);
  words.replaceWith(button);
  button.addEventListener("click", () => toggle(tr));
}

function pairs(table) {
  return [...table.tBodies[0].rows]
    .filter((tr) => !tr.classList.contains("detail"))
    .map((tr) => [tr, tr.classList.contains("open") ? tr.nextElementSibling : null]);
}

function sortBy(table, th) {
  const place = th.cellIndex;
  const isNumber = th.dataset.sort === "number";
  const first = isNumber ? "descending" : "ascending";
  const flipped = { ascending: "descending", descending: "ascending" };
  const direction = th.hasAttribute("aria-sort") ? flipped[th.getAttribute("aria-sort")] : first;
  for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const value = ([tr]) => tr.cells[place].dataset.value;
  const compare = (a, b) => {
    if (!isNumber) return sign * value(a).localeCompare(value(b), "en", { numeric: true });
    const [x, y] = [Number(value(a)), Number(value(b))];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  };
  table.tBodies[0].append(...pairs(table).sort(compare).flat().filter(Boolean));
}

function makeTable(section) {
  const table = section.querySelector("table.rows");
  for (const [tr] of pairs(table)) makeOpener(tr);
  for (const th of table.tHead.querySelectorAll("th[data-sort]")) {
    const button = make("button", { type: "button" }, ...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => sortBy(table, th));
  }
  makeFilter(section, table);
}

function makeFilter(section, table) {
  const input = make("input", { type: "search", placeholder: "Filter instructions", "aria-label": "Filter instructions" });
  const count = make("span", { class: "count", role: "status" });
  section.querySelector(".instructions .tools").append(input, count);
  let full = null;
  const filter = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let kept = 0;
    for (const [tr, detail] of pairs(table)) {
      const row = Number(tr.dataset.row);
      const text = `${tr.cells[0].textContent} ${full ? Object.values(full[row]).join(" ") : ""}`.toLowerCase();
      tr.hidden = !wanted.every((word) => text.includes(word));
      if (detail) detail.hidden = tr.hidden;
      kept += tr.hidden ? 0 : 1;
    }
    count.textContent = wanted.length ? `${kept} of ${pairs(table).length}` : "";
  };
  input.addEventListener("input", async () => {
    full ??= (await load(panelOf(section))).instructions;
    filter();
  });
}

async function goTo(panel, row) {
  const tr = rowOf(panel, row);
  tr.closest("details").open = true;
  if (tr.hidden) {
    const input = tr.closest("details").querySelector("input[type=search]");
    input.value = "";
    for (const hidden of tr.parentElement.querySelectorAll("tr[hidden]")) hidden.hidden = false;
    input.dispatchEvent(new Event("input"));
  }
  await toggle(tr, true);
  tr.scrollIntoView({ block: "start" });
  tr.querySelector("button.opener").focus({ preventScroll: true });
}

function fromAddress() {
  const match = /^#p(\d+)-i(\d+)$/.exec(location.hash);
  if (match && rowOf(match[1], match[2])) goTo(match[1], match[2]);
}

const tip = document.getElementById("tip");

function showTip(mark, panel) {
  const tr = rowOf(panel, mark.dataset.row);
  const numbers = tr.cells[1].textContent.trim().replace(/\s+/g, " ");
  const words = tr.querySelector(".wording").cloneNode(true);
  const name = `${tr.querySelector(".id").textContent}: ${numbers}`;
  tip.replaceChildren(words, make("span", { class: "meta" }, foreign(name)));
  tip.hidden = false;
  const box = (mark.querySelector?.(".mark") ?? mark).getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 10;
  tip.style.left = `${Math.max(8, left) + scrollX}px`;
  tip.style.top = `${(above > 4 ? above : box.bottom + 10) + scrollY}px`;
}

const hideTip = () => {
  tip.hidden = true;
};

/** One stop of the Tab key for a whole plot; arrow keys move between its instructions. */
function rove(plot) {
  const dots = [...plot.querySelectorAll("a.dot")];
  const focus = (place) => {
    dots.forEach((dot, index) => dot.setAttribute("tabindex", index === place ? "0" : "-1"));
    dots[place].focus();
  };
  dots.forEach((dot, place) => {
    dot.setAttribute("tabindex", place ? "-1" : "0");
    const title = dot.querySelector("title");
    dot.setAttribute("aria-label", title.textContent);
    title.remove();
    dot.addEventListener("keydown", (event) => {
      const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: dots.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      focus(Math.min(dots.length - 1, Math.max(0, to)));
    });
  });
}

function makePlots() {
  for (const strip of document.querySelectorAll("g.strip")) {
    const panel = strip.dataset.panel.slice(1);
    for (const mark of strip.querySelectorAll(".mark")) {
      mark.addEventListener("pointerenter", () => showTip(mark, panel));
      mark.addEventListener("pointerleave", hideTip);
      mark.addEventListener("click", () => goTo(panel, mark.dataset.row));
    }
  }
  for (const plot of document.querySelectorAll(".panel .plot")) {
    rove(plot);
    const panel = panelOf(plot);
    for (const dot of plot.querySelectorAll("a.dot")) {
      const show = () => showTip(dot, panel);
      for (const event of ["pointerenter", "focus"]) dot.addEventListener(event, show);
      for (const event of ["pointerleave", "blur"]) dot.addEventListener(event, hideTip);
      dot.addEventListener("click", (event) => {
        event.preventDefault();
        hideTip();
        goTo(panel, dot.dataset.row);
      });
    }
  }
  addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
}

/** Fills an opened flip with the names of the instructions behind every answer. */
async function openFlip(flip) {
  const inside = flip.querySelector(".inside");
  if (!flip.open || inside.querySelector(".group-list")) return;
  const list = make("dl", { class: "group-list" });
  inside.append(list);
  const panel = panelOf(flip);
  const data = await load(panel);
  const column = Number(flip.dataset.column);
  for (const rows of groupsOf(data, column)) {
    const right = data.value(rows[0], column) === 1;
    const links = rows.map((row) => make("a", { href: `#p${panel}-i${row}` }, foreign(data.instructions[row].id)));
    const sign = right ? " ✓" : "";
    list.append(make("dt", {}, foreign(data.answer(rows[0], column)), sign), make("dd", {}, ...links));
  }
  list.before(...fieldList(data.examples[column]));
}

for (const section of document.querySelectorAll("section.panel")) makeTable(section);
for (const flip of document.querySelectorAll("details.flip")) flip.addEventListener("toggle", () => openFlip(flip));
makePlots();
addEventListener("hashchange", fromAddress);
fromAddress();
