// What the toolbar and the keys do to a Markdown text, as pure functions: a text and
// its selection go in, a change comes out. Positions count UTF-16 units, as those of a
// text area do.

/** @typedef {{ text: string, start: number, end: number }} State */

/**
 * Replaces `from`–`to` by `insert`; afterwards `start`–`end` is selected.
 * @typedef {{ from: number, to: number, insert: string, start: number, end: number }} Change
 */

/**
 * The state after a change.
 * @param {State} state
 * @param {Change} change
 * @returns {State}
 */
export function applied({ text }, { from, to, insert, start, end }) {
  return { text: text.slice(0, from) + insert + text.slice(to), start, end };
}

/** @param {State} state */
function trimmed({ text, start, end }) {
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  return { text, start, end };
}

/**
 * How many of `sign` stand in a row before `at`, or from `at` on.
 * @param {string} text
 * @param {number} at
 * @param {string} sign
 * @param {-1 | 1} direction
 */
function run(text, at, sign, direction) {
  let count = 0;
  while (text[direction < 0 ? at - 1 - count : at + count] === sign) count += 1;
  return count;
}

/**
 * Puts `mark` around the selection, or takes it away. A mark is one sign or a row of
 * one sign: three stars are the two of bold and the one of italic, and four are neither.
 * @param {State} state
 * @param {string} mark
 * @returns {Change}
 */
export function wrap(state, mark) {
  const { text, start, end } = trimmed(state);
  const length = mark.length;
  /** @param {number} count */
  const has = (count) => Math.floor(count / length) % 2 === 1;
  const selected = text.slice(start, end);
  const around = Math.min(run(text, start, mark[0], -1), run(text, end, mark[0], 1));
  if (has(around)) {
    const from = start - length;
    return { from, to: end + length, insert: selected, start: from, end: end - length };
  }
  const inside = Math.min(run(selected, 0, mark[0], 1), run(selected, selected.length, mark[0], -1));
  if (selected.length > 2 * length && inside < selected.length && has(inside)) {
    const insert = selected.slice(length, -length);
    return { from: start, to: end, insert, start, end: start + insert.length };
  }
  return { from: start, to: end, insert: mark + selected + mark, start: start + length, end: end + length };
}

/** What makes a line a heading, a quote or an item of a list. */
const LINE_MARKS = /^[ \t]*(?:>[ \t]*|(?:#{1,6}|[-*+](?:[ \t]+\[[ xX]\])?|\d{1,9}[.)])[ \t]+)*/;

/**
 * Where the words stand in a selection that goes over several paragraphs, headings, quotes
 * or items: emphasis ends where each of them ends. Lines of one paragraph are together.
 * @param {string} selected
 * @param {boolean} isLineStart whether the selection begins where a line begins
 * @returns {{ from: number, to: number }[]}
 */
function stretches(selected, isLineStart) {
  /** @type {{ from: number, to: number }[]} */
  const all = [];
  let isOpen = false;
  let at = 0;
  for (const [index, line] of selected.split("\n").entries()) {
    const marks = index === 0 && !isLineStart ? "" : (LINE_MARKS.exec(line)?.[0] ?? "");
    const words = line.slice(marks.length).trim();
    const from = at + line.length - line.slice(marks.length).trimStart().length;
    const to = from + words.length;
    if (words === "") {
      isOpen = false;
    } else if (isOpen && marks.trim() === "") {
      all[all.length - 1].to = to;
    } else {
      all.push({ from, to });
      isOpen = true;
    }
    at += line.length + 1;
  }
  return all;
}

/**
 * Puts `mark` around the words of the selection, or takes it away.
 * @param {State} state
 * @param {string} mark
 * @returns {Change}
 */
function emphasize(state, mark) {
  const { text, start, end } = trimmed(state);
  const selected = text.slice(start, end);
  const found = stretches(selected, text.slice(lineStart(text, start), start).trim() === "");
  if (found.length === 0 || (found.length === 1 && found[0].from === 0)) return wrap(state, mark);
  const all = found.map(({ from, to }) => {
    const change = wrap({ text: selected.slice(from, to), start: 0, end: to - from }, mark);
    // Nothing but signs has no words that could be emphasized.
    const hasWords = [...selected.slice(from, to)].some((sign) => sign !== mark[0] && sign.trim() !== "");
    return { from, to, insert: change.insert, hasWords, isMarked: change.insert.length < to - from };
  });
  const takesAway = all.every(({ isMarked, hasWords }) => isMarked || !hasWords);
  let insert = "";
  let at = 0;
  for (const { from, to, insert: changed, isMarked, hasWords } of all) {
    insert += selected.slice(at, from) + (hasWords && isMarked === takesAway ? changed : selected.slice(from, to));
    at = to;
  }
  insert += selected.slice(at);
  return { from: start, to: end, insert, start, end: start + insert.length };
}

/** @param {State} state */
export const bold = (state) => emphasize(state, "**");

/** @param {State} state */
export const italic = (state) => emphasize(state, "*");

/**
 * Code in a line, or a block of code for several lines; or takes either away.
 * @param {State} state
 * @returns {Change}
 */
export function code(state) {
  const { text, start, end } = trimmed(state);
  const selected = text.slice(start, end);
  const block = /^(`{3,})[^`\n]*\n([^]*)\n\1$/;
  const inside = block.exec(selected);
  if (inside) return { from: start, to: end, insert: inside[2], start, end: start + inside[2].length };
  const from = lineStart(text, Math.max(0, start - 1));
  const [, fence = ""] = /^(`{3,})[^`\n]*\n$/.exec(text.slice(from, start)) ?? [];
  const to = end + 1 + fence.length;
  if (fence && text.slice(end, to) === `\n${fence}` && (to === text.length || text[to] === "\n")) {
    return { from, to, insert: selected, start: from, end: from + selected.length };
  }
  const longest = Math.max(0, ...(selected.match(/`+/g) ?? []).map((ticks) => ticks.length));
  if (!selected.includes("\n")) {
    return longest === 0 ? wrap(state, "`") : wrap(state, "`".repeat(longest + 1));
  }
  const marks = "`".repeat(Math.max(3, longest + 1));
  const before = start === 0 || text[start - 1] === "\n" ? "" : "\n";
  const after = end === text.length || text[end] === "\n" ? "" : "\n";
  const insert = `${before}${marks}\n${selected}\n${marks}${after}`;
  const at = start + before.length + marks.length + 1;
  return { from: start, to: end, insert, start: at, end: at + selected.length };
}

/**
 * @param {string} text
 * @param {number} at
 */
const lineStart = (text, at) => text.slice(0, at).lastIndexOf("\n") + 1;

/**
 * Changes every line that the selection touches.
 * @param {State} state
 * @param {(lines: string[]) => string[]} change
 * @returns {Change}
 */
function lines({ text, start, end }, change) {
  const from = lineStart(text, start);
  // A selection that ends at the beginning of a line does not touch that line.
  const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
  const found = text.indexOf("\n", last);
  const to = found < 0 ? text.length : found;
  const insert = change(text.slice(from, to).split("\n")).join("\n");
  if (start !== end) return { from, to, insert, start: from, end: from + insert.length };
  const caret = Math.max(from, start + insert.length - (to - from));
  return { from, to, insert, start: caret, end: caret };
}

/**
 * Puts the lines into a quote, or takes them out of one.
 * @param {State} state
 */
export const quote = (state) =>
  lines(state, (all) =>
    all.every((line) => line.startsWith(">"))
      ? all.map((line) => line.replace(/^> ?/, ""))
      : all.map((line) => (line === "" && all.length > 1 ? ">" : `> ${line}`)),
  );

const ITEM = /^(\s*)(?:[-*+]|\d{1,9}[.)]) /;

/**
 * @param {RegExp} kind
 * @param {(index: number) => string} marker
 */
const listOf = (kind, marker) => (/** @type {State} */ state) =>
  lines(state, (all) => {
    const filled = all.filter((line) => line.trim() !== "");
    if (filled.length > 0 && filled.every((line) => kind.test(line))) {
      return all.map((line) => line.replace(kind, "$1"));
    }
    let index = 0;
    return all.map((line) => {
      if (line.trim() === "" && all.length > 1) return line;
      const [, indent = ""] = /^(\s*)/.exec(line) ?? [];
      return `${indent}${marker(index++)} ${line.replace(ITEM, "$1").slice(indent.length)}`;
    });
  });

/** Makes the lines a list, or takes the list away. */
export const list = listOf(/^(\s*)[-*+] /, () => "-");

/** The same with numbers. */
export const numberedList = listOf(/^(\s*)\d{1,9}[.)] /, (index) => `${index + 1}.`);

/**
 * A heading, a smaller heading, and none again. The largest is that of the title.
 * @param {State} state
 */
export const heading = (state) =>
  lines(state, (all) => {
    const level = /^(#{1,6}) /.exec(all[0])?.[1].length ?? 0;
    const next = level === 0 ? "## " : level === 2 ? "### " : "";
    return all.map((line) => (line.trim() === "" && all.length > 1 ? line : next + line.replace(/^#{1,6} /, "")));
  });

/**
 * Whether a text is an address and nothing else.
 * @param {string} text
 */
export const isLink = (text) => /^(https?:\/\/|mailto:)[^\s<>]+$/i.test(text.trim());

/**
 * Makes the selection a link. Without an address, the place for it is selected.
 * @param {State} state
 * @param {string} [address]
 * @returns {Change}
 */
export function link(state, address = "") {
  const { text, start, end } = trimmed(state);
  const words = text.slice(start, end).replace(/[[\]]/g, "\\$&");
  // A bracket in an address would end the link.
  const target = /[()]/.test(address) ? `<${address}>` : address;
  const insert = `[${words}](${target})`;
  const at = address ? start + insert.length : start + (words ? words.length + 3 : 1);
  return { from: start, to: end, insert, start: at, end: at };
}

/**
 * Whether a position is in a block of code.
 * @param {string} text
 * @param {number} at
 */
export function isInFence(text, at) {
  const fences = text.slice(0, lineStart(text, at)).match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0;
  return fences % 2 === 1;
}

const START = /^((?:[ \t]*>[ \t]?)*)([ \t]*)(?:([-*+])|(\d{1,9})([.)]))?([ \t]+)?(\[[ xX]\][ \t]+)?/;

/**
 * What Enter does in a list or a quote: begins the next item, or ends the list at an
 * empty item. `null` where it is a plain line break.
 * @param {State} state
 * @returns {Change | null}
 */
export function nextLine({ text, start, end }) {
  if (start !== end) return null;
  const from = lineStart(text, start);
  if (isInFence(text, start)) return null;
  const line = text.slice(from, start);
  const match = START.exec(line);
  if (!match) return null;
  const [whole, quotes, indent, bullet, digits, dot, gap, task] = match;
  const isItem = (bullet || digits) && gap;
  if (!isItem && !quotes) return null;
  const prefix = isItem ? whole : quotes;
  const found = text.indexOf("\n", start);
  const rest = line.slice(prefix.length) + text.slice(start, found < 0 ? text.length : found);
  if (rest.trim() === "") {
    const insert = isItem ? quotes : "";
    return { from, to: start, insert, start: from + insert.length, end: from + insert.length };
  }
  const number = digits ? `${Number(digits) + 1}${dot}` : "";
  const insert = isItem ? `\n${quotes}${indent}${bullet ?? number}${gap}${task ? "[ ] " : ""}` : `\n${quotes}`;
  const at = start + insert.length;
  return { from: start, to: start, insert, start: at, end: at };
}

/**
 * How long it is, for people: words, and minutes to read it.
 * @param {string} text
 */
export function size(text) {
  // Scripts without spaces have their words counted by the browser.
  const words = [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)];
  const count = words.filter((word) => word.isWordLike).length;
  const minutes = Math.max(1, Math.round(count / 230));
  return count === 0 ? "" : `${count} ${count === 1 ? "word" : "words"}, ${minutes} min`;
}
