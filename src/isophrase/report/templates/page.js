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
  if (tr.closest(".compared")) {
    await openChange(tr, cell);
    return;
  }
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

function makeTable(section) {
  const table = section.querySelector("table.rows");
  for (const [tr] of rowsOf(table.tBodies[0])) makeOpener(tr);
  makeSortable(table);
  section.querySelector("details.instructions").addEventListener("toggle", () => ensureRows(panelOf(section)));
  makeFilter(section.querySelector(".instructions .tools"), table, async () => {
    await ensureRows(panelOf(section));
    const { instructions } = await load(panelOf(section));
    return (tr) => `${tr.cells[0].textContent} ${Object.values(instructions[Number(tr.dataset.row)]).join(" ")}`;
  });
}

async function goTo(panel, row) {
  await ensureRows(panel);
  const tr = rowOf(panel, row);
  if (!tr) return;
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
  if (match && document.getElementById(`p${match[1]}`)) goTo(Number(match[1]), match[2]);
}

const tip = document.getElementById("tip");

let pointed = null;

async function showTip(mark, panel) {
  pointed = mark;
  await ensureRows(panel);
  const tr = rowOf(panel, mark.dataset.row);
  if (pointed !== mark || !tr) return;
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
  pointed = null;
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
    const panel = Number(strip.dataset.panel.slice(1));
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

/** A button that goes from the system's colours to the others and back. */
function makeTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const button = make("button", { type: "button", class: "theme" });
  const name = () => button.replaceChildren(isDark() ? "Light" : "Dark");
  button.setAttribute("aria-label", "Change between dark and light");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  dark.addEventListener("change", name);
  name();
  document.querySelector(".top").append(button);
}

for (const section of document.querySelectorAll("section.panel")) makeTable(section);
for (const table of document.querySelectorAll("table.tasks, table.changes")) makeSortable(table);
for (const tr of document.querySelectorAll("table.changes tbody tr")) makeOpener(tr);
for (const flip of document.querySelectorAll("details.flip")) flip.addEventListener("toggle", () => openFlip(flip));
makePlots();
makeAllTaking();
makeProjection();
makeTheme();
addEventListener("hashchange", fromAddress);
fromAddress();
