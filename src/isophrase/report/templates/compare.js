// Opens a wording of a comparison: the examples that are answered otherwise after than before.

/** Rows and columns of the cells that two panels share under one instruction: [column before, column after] pairs. */
function sharedColumns(before, after) {
  const columnOf = new Map(after.examples.map((example, column) => [example.id, column]));
  return before.examples.map((example, column) => [column, columnOf.get(example.id)]).filter(([, other]) => other !== undefined);
}

function changeItem(before, after, rows, columns) {
  const values = [before.value(rows[0], columns[0]), after.value(rows[1], columns[1])];
  const [sign, said] = SIGNS[verdict(values[1])];
  const answers = [before.answer(rows[0], columns[0]), after.answer(rows[1], columns[1])].map((text) => short(text ?? "unscored", 60));
  const button = make(
    "button",
    { type: "button", class: "example", "aria-expanded": "false" },
    make("span", { class: `verdict ${verdict(values[1])}` }, make("span", { "aria-hidden": "true" }, sign), make("span", { class: "sr" }, `${said} after`)),
    make("span", { class: "line" }, foreign(line(before.examples[columns[0]]))),
    make("span", { class: "answer" }, make("span", { class: "from" }, foreign(answers[0]), make("span", { "aria-hidden": "true" }, " → ")), make("span", { class: "sr" }, " before, after: "), foreign(answers[1])),
  );
  const item = make("li", {}, button);
  button.addEventListener("click", () => {
    const opened = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!opened));
    if (opened) item.lastElementChild.remove();
    else item.append(changeDetail(before, after, rows, columns));
  });
  return item;
}

function changeDetail(before, after, rows, columns) {
  const box = make("div", { class: "opened" }, ...fieldList(before.examples[columns[0]]));
  const side = (name, data, place) => {
    const part = make("div", {}, make("h3", {}, name));
    const generated = data.generated(rows[place], columns[place]);
    if (data.examples[columns[place]].options.length) part.append(optionTable(data, rows[place], columns[place]));
    if (generated !== null) part.append(make("pre", { dir: "auto" }, generated));
    return part;
  };
  box.append(make("div", { class: "pair" }, side("Before", before, 0), side("After", after, 1)));
  return box;
}

function changeList(before, after, rows) {
  const columns = sharedColumns(before, after);
  const value = ([one, other]) => [before.value(rows[0], one), after.value(rows[1], other)];
  const both = columns.filter((pair) => value(pair).every((item) => item !== null));
  const kinds = {
    changed: ["answered otherwise", ([one, other]) => before.answer(rows[0], one) !== after.answer(rows[1], other)],
    mended: ["wrong → right", (pair) => value(pair)[0] < 1 && value(pair)[1] >= 1],
    broken: ["right → wrong", (pair) => value(pair)[0] >= 1 && value(pair)[1] < 1],
    all: ["all examples", () => true],
  };
  const list = make("ul", { class: "examples" });
  return choosable(kinds, both, list, (pair) => changeItem(before, after, rows, pair));
}

async function openChange(tr, cell) {
  const box = tr.closest("details.compared");
  const [before, after] = await Promise.all([load(Number(box.dataset.before)), load(Number(box.dataset.after))]);
  const row = Number(tr.dataset.row);
  const other = after.rowOf.get(before.instructions[row].id);
  cell.replaceChildren(template(before.instructions[row].template, null), changeList(before, after, [row, other]));
}
