// Takes figures and tables out of the page: SVG that needs no style sheet, PNG, CSV and LaTeX, copied or saved.

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "paint-order", "font-family", "font-size", "font-weight", "color",
];

/** A copy of an element with its computed style written on it, so that it looks the same anywhere. */
function frozen(node) {
  const copy = node.cloneNode(false);
  if (copy.nodeType !== Node.ELEMENT_NODE) return copy;
  const style = getComputedStyle(node);
  const kept = STYLES.map((name) => [name, style.getPropertyValue(name)]).filter(([, value]) => value && value !== "none 0px");
  for (const name of ["class", "style", "href", "tabindex", "role", "aria-label", "data-row", "data-panel", "data-column"]) {
    if (!(name === "href" && node.localName === "use")) copy.removeAttribute(name);
  }
  for (const [name, value] of kept) copy.setAttribute(name, value);
  for (const child of node.childNodes) {
    if (child.nodeType === Node.ELEMENT_NODE && child.matches(".hit, .fade, desc")) continue;
    copy.append(frozen(child));
  }
  if (copy.localName !== "a") return copy;
  const group = drawn("g");
  group.append(...copy.childNodes);
  return group;
}

/** What a figure shows (plots, captions, legend) as one SVG, each part where it stands on the page. */
function figureSvg(figure) {
  const parts = [...figure.querySelectorAll("svg.plot, svg.key, .caption, .legend bdi, .plane-name")].filter((part) => part.getClientRects().length);
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const pad = 12;
  const left = Math.min(...boxes.map((box) => box.left)) - pad;
  const top = Math.min(...boxes.map((box) => box.top)) - pad;
  const width = Math.ceil(Math.max(...boxes.map((box) => box.right)) + pad - left);
  const height = Math.ceil(Math.max(...boxes.map((box) => box.bottom)) + pad - top);
  const svg = drawn("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const symbols = [...document.querySelectorAll(".defs symbol")].map((symbol) => symbol.cloneNode(true));
  const paper = getComputedStyle(document.body).backgroundColor;
  svg.append(drawn("defs", {}, ...symbols), drawn("rect", { width, height, fill: paper }));
  parts.forEach((part, place) => {
    const box = boxes[place];
    const at = { x: (box.left - left).toFixed(1), y: (box.top - top).toFixed(1) };
    if (part instanceof SVGElement) {
      const copy = frozen(part);
      for (const [name, value] of Object.entries({ ...at, width: box.width, height: box.height })) copy.setAttribute(name, value);
      copy.removeAttribute("id");
      svg.append(copy);
    } else {
      const style = getComputedStyle(part);
      const text = { "font-family": style.fontFamily, "font-size": style.fontSize, "font-weight": style.fontWeight, fill: style.color };
      const line = part.textContent.replace(/\s+/g, " ").trim();
      svg.append(drawn("text", { x: at.x, y: (box.top - top + box.height * 0.75).toFixed(1), ...text }, line));
    }
  });
  return new XMLSerializer().serializeToString(svg);
}

async function figurePng(figure) {
  const text = figureSvg(figure);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas");
  const scale = 2;
  [canvas.width, canvas.height] = [image.width * scale, image.height * scale];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

const bare = (node) => node.textContent.replace(/\s+/g, " ").trim();

/** A cell's own text, and the numbers of its brackets. */
function cellParts(cell) {
  const id = cell.querySelector(".id");
  if (id) return [bare(id), null];
  const copy = cell.cloneNode(true);
  const brackets = copy.querySelector(".brackets");
  copy.querySelectorAll(".brackets, .sr, svg").forEach((node) => node.remove());
  return [bare(copy), brackets ? bare(brackets) : null];
}

/** Headings and rows of a table as shown: sorted, filtered, without what is opened. */
function tableParts(table) {
  const places = [...table.tHead.rows[0].cells].filter((th) => !th.classList.contains("spark-cell")).map((th) => th.cellIndex);
  const heads = places.map((place) => bare(table.tHead.rows[0].cells[place]));
  const rows = [];
  for (const body of table.tBodies) {
    const group = body.querySelector(".group");
    for (const [tr] of rowsOf(body)) {
      if (tr.hidden) continue;
      const wording = tr.querySelector(".wording");
      rows.push({ group: group ? bare(group) : null, cells: places.map((place) => cellParts(tr.cells[place])), wording: wording ? bare(wording) : null });
    }
  }
  return { heads, rows };
}

const NUMBER = /^[−-]?\d[\d,]*(\.\d+)?$/;
const ENDS = /^\[([^,\]]+), ([^,\]]+)\]$/;
const asNumber = (text) => text.replace(/,/g, "").replace("−", "-");

/** One CSV field; text that a spreadsheet would take for a formula is set off. */
function csvField(text) {
  if (text === "–") return "";
  if (NUMBER.test(text)) return asNumber(text);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

function tableCsv(table) {
  const { heads, rows } = tableParts(table);
  const ends = heads.map((_, place) => rows.some((row) => ENDS.test(row.cells[place][1] ?? "")));
  const hasGroup = rows.some((row) => row.group !== null);
  const hasWording = rows.some((row) => row.wording !== null);
  const lines = [[
    ...(hasGroup ? ["model"] : []),
    ...heads.flatMap((head, place) => (ends[place] ? [head, `${head} low`, `${head} high`] : [head])),
    ...(hasWording ? ["wording"] : []),
  ]];
  for (const row of rows) {
    const cells = row.cells.flatMap(([text, brackets], place) => {
      if (!ends[place]) return [text];
      const [, low, high] = ENDS.exec(brackets ?? "") ?? ["", "", ""];
      return [text, low, high];
    });
    lines.push([...(hasGroup ? [row.group ?? ""] : []), ...cells, ...(hasWording ? [row.wording ?? ""] : [])]);
  }
  return `${lines.map((line) => line.map(csvField).join(",")).join("\n")}\n`;
}

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "–": "--" };
const latexText = (text) => text.replace(/[\\~^−–]|[&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);

function tableLatex(table) {
  const { heads, rows } = tableParts(table);
  const columns = heads.map((_, place) => (rows.every((row) => NUMBER.test(row.cells[place][0]) || row.cells[place][0] === "–") ? "r" : "l")).join("");
  const line = (cells) => `${cells.join(" & ")} \\\\`;
  const body = rows.map((row) => line(row.cells.map(([text, brackets]) => latexText(text) + (brackets ? ` {\\footnotesize ${latexText(brackets)}}` : ""))));
  return ["% needs \\usepackage{booktabs}", `\\begin{tabular}{${columns}}`, "\\toprule", line(heads.map(latexText)), "\\midrule", ...body, "\\bottomrule", "\\end{tabular}", ""].join("\n");
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function take(kind, source, name, how) {
  const makers = { svg: [figureSvg, "image/svg+xml"], png: [figurePng, "image/png"], csv: [tableCsv, "text/csv"], tex: [tableLatex, "text/x-tex"] };
  const [maker, type] = makers[kind];
  const made = await maker(source);
  const blob = made instanceof Blob ? made : new Blob([made], { type: `${type};charset=utf-8` });
  if (how === "copy") {
    try {
      if (kind === "png") await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
      else await navigator.clipboard.writeText(made);
      return "copied";
    } catch {
      // No clipboard here: a file serves as well.
    }
  }
  save(blob, `${name}.${kind}`);
  return "saved";
}

/** A small menu beside a figure or a table. */
function makeTaking(source, name, kinds, label) {
  const status = make("span", { class: "count", role: "status" });
  const menu = make("details", { class: "take" }, make("summary", { "aria-label": `Copy or save: ${label}` }, "Copy"));
  const list = make("div", { class: "choices" });
  for (const [kind, said] of kinds) {
    for (const how of ["copy", "save"]) {
      const button = make("button", { type: "button" }, `${how === "copy" ? "Copy" : "Save"} ${said}`);
      button.addEventListener("click", async () => {
        menu.open = false;
        status.textContent = `${said} ${await take(kind, source, name, how)}`;
        setTimeout(() => status.replaceChildren(), 4000);
      });
      list.append(button);
    }
  }
  menu.append(list);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.firstElementChild.focus();
  });
  return make("div", { class: "taking" }, status, menu);
}

function makeAllTaking() {
  for (const figure of document.querySelectorAll("figure[data-figure]")) {
    const caption = figure.querySelector("figcaption");
    const label = caption.querySelector("b").textContent;
    caption.before(makeTaking(figure, figure.dataset.figure, [["svg", "SVG"], ["png", "PNG"]], label));
  }
  for (const table of document.querySelectorAll("table[data-table]")) {
    const label = table.closest("[aria-label]")?.getAttribute("aria-label") ?? "table";
    const kinds = [["csv", "CSV"], ["tex", "LaTeX"]];
    const tools = makeTaking(table, table.dataset.table, kinds, table.dataset.label ?? label);
    const place = table.closest(".scroll") ?? table;
    const bar = place.previousElementSibling?.matches(".tools") ? place.previousElementSibling : null;
    if (bar) bar.append(tools);
    else place.before(tools);
  }
  addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.take[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}
