// Reads the blocks that encode.py writes: each is unpacked once, when something of its panel is opened.

const UNSCORED = 255;
const panels = new Map();

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function integers({ bytes, data }) {
  const planes = await inflate(data);
  const count = planes.length / bytes;
  const values = new Uint32Array(count);
  for (let place = 0; place < bytes; place += 1) {
    for (let index = 0; index < count; index += 1) {
      values[index] += planes[place * count + index] * 256 ** place;
    }
  }
  return values;
}

function load(index) {
  if (!panels.has(index)) {
    panels.set(index, unpack(JSON.parse(document.getElementById(`data-${index}`).textContent)));
  }
  return panels.get(index);
}

async function unpack(block) {
  const text = JSON.parse(new TextDecoder().decode(await inflate(block.text)));
  const names = Object.keys(block.arrays);
  const arrays = await Promise.all(names.map((name) => integers(block.arrays[name])));
  return new PanelData(text, Object.fromEntries(names.map((name, place) => [name, arrays[place]])));
}

class PanelData {
  constructor(text, arrays) {
    Object.assign(this, text);
    this.arrays = arrays;
    this.rows = this.instructions.length;
    this.columns = this.examples.length;
    this.starts = [0];
    for (const example of this.examples) {
      this.starts.push(this.starts[this.starts.length - 1] + example.options.length * this.rows);
    }
    this.why = new Map();
    for (let at = 0; at < this.unscored.length; at += 3) {
      const [row, column, reason] = this.unscored.slice(at, at + 3);
      this.why.set(row * this.columns + column, this.reasons[reason]);
    }
    this.rowOf = new Map(this.instructions.map((item, row) => [item.id, row]));
  }

  at(row, column) {
    return row * this.columns + column;
  }

  /** The code of the answer, equal for equal answers; 0 where there is none. */
  code(row, column) {
    return this.arrays.answer[this.at(row, column)];
  }

  answer(row, column) {
    const code = this.code(row, column);
    return code ? this.answers[code - 1] : null;
  }

  generated(row, column) {
    const code = this.arrays.generated[this.at(row, column)];
    return code ? this.generations[code - 1] : null;
  }

  /** The metric's value between 0 and 1, or null for an unscored cell. */
  value(row, column) {
    const value = this.arrays.value[this.at(row, column)];
    return value === UNSCORED ? null : value / 200;
  }

  merged(row, column) {
    return this.arrays.merged[this.at(row, column)] === 1;
  }

  reason(row, column) {
    return this.why.get(this.at(row, column)) ?? "no reason was recorded";
  }

  /** log P of every option (in a large report: less that of the likeliest), or null where they were not measured. */
  logprobs(row, column) {
    const count = this.examples[column].options.length;
    const codes = Array.from({ length: count }, (_, k) => this.arrays.logprob[this.starts[column] + k * this.rows + row]);
    return count && codes.every(Boolean) ? codes.map((code) => -(code - 1) * this.step) : null;
  }

  /** Row of the instruction that a row re-phrases, or null. */
  referenceRow(row) {
    return this.rowOf.get(this.instructions[row].reference) ?? null;
  }

  /** Whether a row's answer differs from the one under its reference; null where either is missing. */
  unlike(row, column) {
    const reference = this.referenceRow(row);
    if (reference === null || !this.code(row, column) || !this.code(reference, column)) return null;
    return this.code(row, column) !== this.code(reference, column);
  }

  /** 1 where an error of the reference is mended, -1 where its right answer is broken, 0 else. */
  flip(row, column) {
    const reference = this.referenceRow(row);
    if (reference === null) return 0;
    const [own, other] = [this.value(row, column), this.value(reference, column)];
    if (own === null || other === null) return 0;
    return Math.sign((own >= 1) - (other >= 1));
  }

  /** The points of a projection, between -1 and 1: {row, column, x, y}. */
  points(method) {
    const places = this.arrays[method] ?? [];
    const at = (place) => places[place] / 511.5 - 1;
    return Array.from({ length: places.length / 2 }, (_, index) => ({
      row: this.arrays.pointRow[index],
      column: this.arrays.pointColumn[index],
      x: at(2 * index),
      y: at(2 * index + 1),
    }));
  }
}

/** The softmax over the options: how the model splits its belief between the answers that count. */
function shares(logprobs) {
  const best = Math.max(...logprobs);
  const weights = logprobs.map((value) => Math.exp(value - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
