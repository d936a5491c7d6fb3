// Which words of one wording are not in another, marked on both sides.

const MOST_WORDS = 600;
const wordsOf = (text) => text.match(/\{\{.*?\}\}|\s+|[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gsu) ?? [];

/** Words of `words` that are not in the longest common subsequence with `other`, as a set of positions. */
function newWords(words, other) {
  const lengths = Array.from({ length: words.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = words.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = words[i] === other[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const added = new Set();
  let [i, j] = [0, 0];
  while (i < words.length) {
    if (j < other.length && words[i] === other[j]) [i, j] = [i + 1, j + 1];
    else if (j < other.length && lengths[i][j + 1] > lengths[i + 1][j]) j += 1;
    else added.add(i++);
  }
  return added;
}

/** A template as text; words that `other` lacks in an element called `tag`, neighbours joined. */
function template(text, other, tag) {
  const block = make("pre", { dir: "auto" });
  const words = wordsOf(text);
  const others = other === null ? [] : wordsOf(other);
  if (other === null || Math.max(words.length, others.length) > MOST_WORDS) {
    block.append(text);
    return block;
  }
  const added = newWords(words, others);
  const marked = (place) => added.has(place) || (!words[place].trim() && added.has(place - 1) && added.has(place + 1));
  let place = 0;
  while (place < words.length) {
    const from = place;
    while (place < words.length && marked(place) === marked(from)) place += 1;
    const part = words.slice(from, place).join("");
    block.append(marked(from) && part.trim() ? make(tag, {}, part) : part);
  }
  return block;
}
