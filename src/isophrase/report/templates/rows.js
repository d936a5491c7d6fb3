// The rows of a table of many instructions, which would make the page heavy, are made when they are first needed.

const filled = new Map();

/** Settles when a panel's table has its rows. */
function ensureRows(panel) {
  const table = document.querySelector(`#p${panel} table.rows`);
  if (!table?.hasAttribute("data-lazy")) return Promise.resolve();
  if (!filled.has(panel)) filled.set(panel, load(panel).then((data) => fill(panel, table, data)));
  return filled.get(panel);
}

const number = (value, digits = 1) => (value === null ? "–" : value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−"));
const brackets = (text) => make("span", { class: "brackets" }, text);
const numeric = (value, ...children) => make("td", { class: "num wide", "data-value": value ?? NaN }, ...children);

const COLUMNS = {
  score(item) {
    const [mean, low, high] = item.mean.map((share) => (share === null ? null : 100 * share));
    const ends = low === null ? [] : [" ", brackets(`[${number(low)}, ${number(high)}]`)];
    return make("td", { class: "num", "data-value": item.mean[0] ?? NaN }, number(mean), ...ends);
  },
  unlike(item) {
    if (item.unlike === null) return make("td", { class: "num wide", "data-value": -1 }, "–");
    return numeric(item.unlike, `${item.unlike} `, brackets(`of ${item.compared}`));
  },
  distance(item, data) {
    const value = data.geometry.cosine[item.row];
    return numeric(value, number(value, 4));
  },
  unscored: (item) => numeric(item.unscored, number(100 * item.unscored)),
};

function head(item, data) {
  const mark = drawn("use", { href: `#m-${item.shape}`, x: "50%", y: 8, class: `mark ${item.tone}` });
  const key = drawn("svg", { class: "key", width: 16, height: 16, "aria-hidden": "true" }, mark);
  const pieces = item.pieces.map(([text, slot]) => (slot ? make("span", { class: "slot" }, text) : text));
  const { id } = data.instructions[item.row];
  const meta = make("span", { class: "meta" }, make("bdi", { class: "id" }, id), ...item.facts.map(foreign));
  const words = make("span", { class: "words" }, make("bdi", { class: "wording" }, ...pieces), meta);
  return make("th", { scope: "row", "data-value": id }, make("span", { class: "opener" }, key, words));
}

function fill(panel, table, data) {
  const columns = [...table.tHead.querySelectorAll("th[data-column]")].map((th) => COLUMNS[th.dataset.column]);
  for (const item of data.ranking) {
    const cells = columns.map((column) => column(item, data));
    const tr = make("tr", { id: `p${panel}-i${item.row}`, "data-row": item.row }, head(item, data), ...cells);
    table.tBodies[0].append(tr);
    makeOpener(tr);
  }
}
