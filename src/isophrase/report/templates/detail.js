// Builds what opens below an instruction: its template beside its reference's, and its examples. Text is only ever set
// as text content, never parsed as markup.

const PAGE = 20;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function drawn(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const foreign = (text) => make("bdi", {}, text);

function percent(share) {
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

function instructionDetail(data, row) {
  const instruction = data.instructions[row];
  const reference = data.referenceRow(row);
  const box = make("div");
  const pair = make("div", { class: "pair" });
  const text = reference === null ? null : data.instructions[reference].template;
  const heading = text === null ? "Template" : "Template; words that its reference lacks are underlined";
  pair.append(make("div", {}, make("h3", {}, heading), template(instruction.template, text, "ins")));
  if (text !== null) {
    const name = make("h3", {}, "Reference ", foreign(data.instructions[reference].id), "; words left out here are struck through");
    pair.append(make("div", {}, name, template(text, instruction.template, "del")));
  }
  const facts = ["collection", "register", "language", "author", "role", "asks for"].filter((name) => instruction[name]);
  const meta = make("p", { class: "meta" }, ...facts.map((name) => foreign(`${name}: ${instruction[name]}`)));
  box.append(pair, meta, ...distanceLine(data, row), exampleList(data, row));
  return box;
}

/** How far the model's states of this wording lie from what they are measured to. */
function distanceLine(data, row) {
  if (!data.geometry || data.geometry.cosine[row] === null) return [];
  const { to, cosine, l2, centroid, cka } = data.geometry;
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits).replace("-", "−"));
  const line = `Inside the model, from the ${to}: cosine ${number(cosine[row], 4)}, Euclidean ${number(l2[row], 2)}, CKA ${number(cka[row], 2)}; from the middle of all others: ${number(centroid[row], 2)}.`;
  return [make("p", { class: "small" }, line)];
}

function exampleList(data, row) {
  const kinds = {
    all: ["all examples", () => true],
    wrong: ["answered wrongly", (column) => data.value(row, column) !== null && data.value(row, column) < 1],
    right: ["answered rightly", (column) => data.value(row, column) === 1],
    unlike: ["flipped: answered unlike the reference", (column) => data.unlike(row, column) === true],
    broken: ["flipped from right to wrong", (column) => data.flip(row, column) === -1],
    mended: ["flipped from wrong to right", (column) => data.flip(row, column) === 1],
    unscored: ["unscored", (column) => data.value(row, column) === null],
  };
  const columns = [...data.examples.keys()];
  const list = make("ul", { class: "examples" });
  return choosable(kinds, columns, list, (column) => exampleItem(data, row, column));
}

/** A list of which one kind at a time is shown, a page at a time; the first kind of `first` that has any is shown first. */
function choosable(kinds, items, list, itemOf, first = ["unlike", "changed"]) {
  const select = make("select", { "aria-label": "Which examples" });
  for (const [kind, [name, keep]] of Object.entries(kinds)) {
    const number = items.filter(keep).length;
    if (number) select.append(make("option", { value: kind }, `${name} (${number})`));
  }
  const more = make("button", { type: "button", class: "more" }, "Show more");
  let shown = [];
  const extend = () => {
    const from = list.children.length;
    shown.slice(from, from + PAGE).forEach((item) => list.append(itemOf(item)));
    more.hidden = list.children.length >= shown.length;
  };
  const restart = () => {
    shown = items.filter(kinds[select.value][1]);
    list.replaceChildren();
    extend();
  };
  select.addEventListener("change", restart);
  more.addEventListener("click", () => {
    const next = list.children.length;
    extend();
    list.children[next]?.querySelector("button").focus();
  });
  const wanted = first.find((kind) => kinds[kind] && items.some(kinds[kind][1]));
  if (wanted) select.value = wanted;
  if (items.length) restart();
  return make("div", {}, make("h3", {}, "Examples "), make("div", { class: "tools" }, select), list, more);
}

const SIGNS = { right: ["✓", "right"], wrong: ["✗", "wrong"], partly: ["≈", "partly right"], unscored: ["–", "unscored"] };

function verdict(value) {
  if (value === null) return "unscored";
  if (value >= 1) return "right";
  return value > 0 ? "partly" : "wrong";
}

const LINE = 160;
const short = (text, limit) => (text.length > limit ? `${text.slice(0, limit)}…` : text);

function line(example) {
  const { fields } = example;
  const text = fields.length === 1 ? fields[0][1] : fields.map(([name, value]) => `${name}: ${value}`).join("; ");
  return short(text.replace(/\s+/g, " ").trim(), LINE);
}

/** All fields in full; nothing where the line above already shows all there is. */
function fieldList(example) {
  if (example.fields.length === 1 && example.fields[0][1] === line(example)) return [];
  return example.fields.map(([name, value]) => make("p", { class: "field", dir: "auto" }, make("b", {}, foreign(name)), foreign(value)));
}

/** Rows by the answer that they got, the most frequent answer first. */
function groupsOf(data, column) {
  const groups = new Map();
  for (let row = 0; row < data.rows; row += 1) {
    const code = data.code(row, column);
    if (code) groups.set(code, [...(groups.get(code) ?? []), row]);
  }
  return [...groups.values()].sort((one, other) => other.length - one.length);
}

function exampleItem(data, row, column) {
  const kind = verdict(data.value(row, column));
  const [sign, said] = SIGNS[kind];
  const answer = data.answer(row, column) ?? (kind === "unscored" ? "unscored" : "");
  const reference = data.unlike(row, column) ? data.answer(data.referenceRow(row), column) : null;
  const before = reference === null ? [] : [make("span", { class: "from" }, make("span", { class: "sr" }, "under the reference "), foreign(short(reference, 40))), make("span", { "aria-hidden": "true" }, " → ")];
  const button = make(
    "button",
    { type: "button", class: "example", "aria-expanded": "false" },
    make("span", { class: `verdict ${kind}` }, make("span", { "aria-hidden": "true" }, sign), make("span", { class: "sr" }, said)),
    make("span", { class: "line" }, foreign(line(data.examples[column]))),
    make("span", { class: "answer" }, ...before, foreign(short(answer, 60))),
  );
  const item = make("li", {}, button);
  button.addEventListener("click", () => {
    const opened = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!opened));
    if (opened) item.lastElementChild.remove();
    else item.append(exampleDetail(data, row, column));
  });
  return item;
}

function exampleDetail(data, row, column) {
  const example = data.examples[column];
  const box = make("div", { class: "opened" });
  box.append(...fieldList(example));
  if (data.value(row, column) === null) {
    box.append(make("p", {}, "Unscored: ", foreign(data.reason(row, column))));
  }
  if (example.options.length) box.append(optionTable(data, row, column));
  const generated = data.generated(row, column);
  if (generated !== null) box.append(make("h3", {}, "The model wrote"), make("pre", { dir: "auto" }, generated));
  if (example.references.length) {
    box.append(make("h3", {}, "Right"), make("p", { class: "field", dir: "auto" }, foreign(example.references.join("\n"))));
  }
  const counts = groupsOf(data, column).map((rows) => {
    const right = data.value(rows[0], column) === 1 ? " ✓" : "";
    return `${short(data.answer(rows[0], column), 60)}${right} ${rows.length}`;
  });
  const others = counts.slice(0, 8).flatMap((text, place) => [place ? ", " : "", foreign(text)]);
  box.append(make("p", { class: "small" }, "Answers under all wordings: ", ...others, counts.length > 8 ? ", …" : ""));
  const notes = [`Example ${example.id}`];
  const value = data.value(row, column);
  if (value !== null && value > 0 && value < 1) notes.push(`${data.metric} ${percent(value)}`);
  if (data.merged(row, column)) notes.push("prompt and answer share a token: the joined tokens were scored");
  box.append(make("p", { class: "small" }, ...notes.flatMap((note, place) => [place ? "; " : "", foreign(note)]), "."));
  return box;
}

function optionTable(data, row, column) {
  const example = data.examples[column];
  const logprobs = data.logprobs(row, column);
  const parts = logprobs && shares(logprobs);
  const chosen = example.options.indexOf(data.answer(row, column));
  const body = make("tbody");
  example.options.forEach((option, place) => {
    const tags = [place === chosen ? "answered" : "", example.gold.includes(place) ? "✓ right" : ""].filter(Boolean);
    const line = make("tr", place === chosen ? { class: "chosen" } : {}, make("th", { scope: "row" }, foreign(option)));
    if (parts) {
      const bar = drawn("rect", { width: `${(100 * parts[place]).toFixed(1)}%`, height: "8", rx: "2" });
      const chart = drawn("svg", { class: "prob", width: "100%", height: "8", "aria-hidden": "true" }, bar);
      const exact = `${data.relative ? "log P less the likeliest option's" : "log P"} = ${logprobs[place].toFixed(data.step < 0.01 ? 3 : data.step < 0.1 ? 2 : 1)}`;
      line.append(make("td", { class: "share" }, chart), make("td", { class: "num", title: exact }, percent(parts[place])));
    }
    line.append(make("td", { class: "tag" }, tags.join(", ")));
    body.append(line);
  });
  const caption = parts ? "Options, with the model's probability of each among them" : "Options";
  return make("table", { class: "options" }, make("caption", {}, caption), body);
}
