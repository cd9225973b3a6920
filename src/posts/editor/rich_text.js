// Makes Markdown of HTML that is pasted. The browser's own parser reads the HTML into a
// document of its own, in which no script runs and nothing is loaded.

const SKIPPED = new Set(["SCRIPT", "STYLE", "HEAD", "TITLE", "META", "LINK", "TEMPLATE", "NOSCRIPT"]);

const BLOCKS = new Set(
  ("ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY DIV DL DD DT FIGURE FIGCAPTION FOOTER FORM H1 H2 H3 H4 H5 H6 " +
    "HEADER HR HTML LI MAIN NAV OL P PRE SECTION TABLE UL").split(" "),
);

/**
 * Whether there is more in it than plain text.
 * @param {string} html
 */
export function isRich(html) {
  const found = parse(html).querySelector(
    "a[href],b,strong,i,em,h1,h2,h3,h4,h5,h6,ul,ol,blockquote,pre,code,table,s,strike,del,sup,sub,p[class*=MsoList],span[style*=bold],span[style*=line-through],span[style*=italic],span[style*='700']",
  );
  return found !== null;
}

/**
 * @param {string} html
 * @returns {string}
 */
export function markdown(html) {
  return blocks(parse(html).body).join("\n\n").trim();
}

/** @param {string} html */
const parse = (html) => new DOMParser().parseFromString(html, "text/html");

/**
 * The blocks of an element. What stands between them is a paragraph.
 * @param {Element} element
 * @returns {string[]}
 */
function blocks(element) {
  /** @type {string[]} */
  const all = [];
  let line = "";
  const end = () => {
    const text = tidy(line);
    if (text) all.push(text);
    line = "";
  };
  for (const node of element.childNodes) {
    const isBlock = node instanceof Element && !SKIPPED.has(node.tagName) && holdsBlocks(node);
    if (isBlock) {
      end();
      all.push(...block(node));
    } else {
      line += inline(node);
    }
  }
  end();
  return all;
}

/** @param {Element} element */
const holdsBlocks = (element) =>
  BLOCKS.has(element.tagName) || [...element.querySelectorAll("*")].some((inner) => BLOCKS.has(inner.tagName));

/**
 * @param {Element} element
 * @returns {string[]}
 */
function block(element) {
  const { tagName } = element;
  if (/^H[1-6]$/.test(tagName)) {
    const text = oneLine(children(element));
    return text ? [`${"#".repeat(Math.max(2, Number(tagName[1])))} ${text}`] : [];
  }
  if (tagName === "HR") return ["---"];
  if (tagName === "PRE") return [fenced(element)];
  if (tagName === "BLOCKQUOTE") {
    const text = blocks(element).join("\n\n");
    return text ? [text.replace(/^/gm, "> ").replace(/ +$/gm, "")] : [];
  }
  if (tagName === "UL" || tagName === "OL") return [list(element)];
  if (tagName === "TABLE") return table(element);
  if (/\bMsoList/.test(element.className)) return blocks(element).map(item);
  return blocks(element);
}

/**
 * An item of a list as Word writes it: a paragraph that begins with a sign or a number.
 * @param {string} paragraph
 */
const item = (paragraph) => paragraph.replace(/^(?:[·•§o]|\\-)\s+/, "- ").replace(/^(\d{1,9})\\?([.)])\s+/, "$1$2 ");

/** @param {Element} element */
function fenced(element) {
  const text = codeText(element).replace(/\n$/, "");
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/**
 * The text of code, in which some programs have an element for each line, or for its end.
 * @param {Node} node
 * @returns {string}
 */
function codeText(node) {
  if (node instanceof Text) return node.data;
  if (!(node instanceof Element) || SKIPPED.has(node.tagName)) return "";
  if (node.tagName === "BR") return "\n";
  let text = "";
  for (const child of node.childNodes) {
    const isLine = child instanceof Element && BLOCKS.has(child.tagName);
    if (isLine && text && !text.endsWith("\n")) text += "\n";
    text += codeText(child);
    if (isLine && !text.endsWith("\n")) text += "\n";
  }
  return text;
}

/** @param {Element} element */
function list(element) {
  const isNumbered = element.tagName === "OL";
  let number = Number(element.getAttribute("start") ?? 1) || 1;
  const items = [...element.children].map((item) => {
    // Some programs put a list beside the item that it belongs to.
    const isList = item.tagName === "UL" || item.tagName === "OL";
    const parts = isList ? [list(item)] : blocks(item);
    const marker = isNumbered ? `${number++}. ` : "- ";
    const indent = " ".repeat(marker.length);
    const isTight = parts.every((part, at) => at === 0 || /^(- |\d+\. )/.test(part));
    const text = parts.join(isTight ? "\n" : "\n\n").replace(/\n(?=[^\n])/g, `\n${indent}`);
    return isList ? `${indent}${text}` : marker + text;
  });
  return items.join("\n");
}

/** @param {Element} element */
function table(element) {
  // Rows of this table alone, and none of a table in a cell.
  const rows = element instanceof HTMLTableElement ? [...element.rows] : [];
  const cells = grid(rows);
  const width = Math.max(0, ...cells.map((row) => row.length));
  if (width === 0) return [];
  // A table of one column holds a layout, not data.
  if (width === 1) return rows.flatMap((row) => [...row.cells].flatMap(blocks));
  const line = (/** @type {string[]} */ row) => `| ${Array.from({ length: width }, (_, at) => row[at] ?? "").join(" | ")} |`;
  const [head, ...rest] = cells;
  const dashes = Array.from({ length: width }, (_, at) => DASHES[alignment(rows, at)] ?? "---");
  return [[line(head), line(dashes), ...rest.map(line)].join("\n")];
}

/** @type {Record<string, string>} */
const DASHES = { center: ":-:", right: "--:", end: "--:" };

/**
 * The texts of the cells, with empty ones where a cell of the table goes over several columns or rows.
 * @param {HTMLTableRowElement[]} rows
 */
function grid(rows) {
  /** @type {string[][]} */
  const all = rows.map(() => []);
  for (const [at, row] of rows.entries()) {
    let column = 0;
    for (const cell of row.cells) {
      while (all[at][column] !== undefined) column += 1;
      const text = oneLine(children(cell)).replaceAll("|", "\\|");
      for (let down = 0; down < Math.min(cell.rowSpan || 1, rows.length - at, 50); down += 1) {
        for (let right = 0; right < Math.min(cell.colSpan, 50); right += 1) {
          all[at + down][column + right] ??= down === 0 && right === 0 ? text : "";
        }
      }
    }
  }
  return all;
}

/**
 * That of a column: what most programs write at each of its cells, the last one has too.
 * @param {HTMLTableRowElement[]} rows
 * @param {number} column
 */
function alignment(rows, column) {
  const cell = rows.at(-1)?.cells[column];
  const said = [cell, cell?.firstElementChild].map(
    // The policy of the page empties what a browser makes of the attribute.
    (element) => /text-align:\s*(\w+)/i.exec(element?.getAttribute("style") ?? "")?.[1] ?? element?.getAttribute("align"),
  );
  return said.find(Boolean)?.toLowerCase() ?? "";
}

/** @param {Element} element */
const children = (element) => [...element.childNodes].map(inline).join("");

/**
 * @param {Node} node
 * @returns {string}
 */
function inline(node) {
  if (node instanceof Text) return escaped(node.data.replace(/[ \t\r\n\f]+/g, " "));
  if (!(node instanceof Element) || SKIPPED.has(node.tagName)) return "";
  const { tagName } = node;
  if (tagName === "BR") return "\n";
  if (tagName === "IMG") return picture(node);
  if (tagName === "INPUT") return checkbox(node);
  if (tagName === "CODE" || tagName === "KBD" || tagName === "SAMP" || tagName === "TT") return code(node);
  const text = children(node);
  if (tagName === "A") return link(node, text);
  const style = node.getAttribute("style") ?? "";
  const weight = /font-weight:\s*(\w+)/i.exec(style)?.[1];
  // Google Docs wraps everything into <b style="font-weight:normal">.
  const isBold = weight ? weight === "bold" || Number(weight) >= 600 : tagName === "B" || tagName === "STRONG";
  const isItalic = /font-style:\s*(italic|oblique)/i.test(style) || tagName === "I" || tagName === "EM";
  const isStruck =
    /text-decoration[\w-]*:[^;]*line-through/i.test(style) || tagName === "S" || tagName === "DEL" || tagName === "STRIKE";
  let marked = text;
  if (isStruck) marked = around(marked, STRUCK);
  if (isItalic) marked = around(marked, ITALIC);
  if (isBold) marked = around(marked, BOLD);
  // Markdown has no sign for these, and takes them as HTML.
  if ((tagName === "SUP" || tagName === "SUB") && text.trim()) {
    marked = `<${tagName.toLowerCase()}>${text.trim()}</${tagName.toLowerCase()}>`;
  }
  // A cell or an item within a line keeps its distance from the next one.
  return BLOCKS.has(tagName) ? ` ${marked} ` : marked;
}

/** The sign of a picture; any other one before a bracket is text. */
const PICTURE = "\ue013";

/**
 * A picture that readers can load too: by https, and large enough to be seen.
 * @param {Element} element
 */
function picture(element) {
  const address = element.getAttribute("src")?.trim() ?? "";
  const isSmall = ["width", "height"].some((side) => Number(element.getAttribute(side) ?? 100) < 3);
  if (isSmall || !/^https:/i.test(address)) return "";
  const words = (element.getAttribute("alt") ?? "").replace(/\s+/g, " ").trim();
  return `${PICTURE}[${escaped(words)}](${target(address)})`;
}

/**
 * The box of a task, which begins its item.
 * @param {Element} element
 */
const checkbox = (element) =>
  element.getAttribute("type")?.toLowerCase() === "checkbox" && element.closest("li")
    ? `[${element.hasAttribute("checked") ? "x" : " "}] `
    : "";

/** Marks of emphasis, until it is known what stands beside them ({@link marked}). */
const [BOLD, ITALIC, STRUCK] = [0, 1, 2];
const SIGNS = ["**", "*", "~~"];
const TAGS = ["strong", "em", "del"];
const OPEN = 0xe000;
const CLOSE = 0xe010;

/**
 * Marks stand at words, not at spaces.
 * @param {string} text
 * @param {number} kind
 */
function around(text, kind) {
  const [, before, words, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? ["", "", "", ""];
  return words ? before + String.fromCharCode(OPEN + kind) + words + String.fromCharCode(CLOSE + kind) + after : text;
}

/**
 * Emphasis by signs, or by tags where Markdown would not take the signs as such: they end
 * no word that a sign follows or comes before (CommonMark 6.2, flanking).
 * @param {string} text
 */
function marked(text) {
  const MARK = /[\ue000-\ue012]/;
  const signs = [...text];
  const isSpace = (/** @type {string | undefined} */ sign) => sign === undefined || /\s/.test(sign);
  const isWord = (/** @type {string | undefined} */ sign) => !isSpace(sign) && !/[\p{P}\p{S}]/u.test(sign ?? "");
  const beside = (/** @type {number} */ at, /** @type {1 | -1} */ step) => {
    for (at += step; signs[at] !== undefined && MARK.test(signs[at]); at += step);
    return signs[at];
  };
  /** @type {number[]} */
  const open = [];
  const written = [...signs];
  for (const [at, sign] of signs.entries()) {
    if (!MARK.test(sign)) continue;
    const code = sign.charCodeAt(0);
    if (code < CLOSE) {
      open.push(at);
      continue;
    }
    const begin = open.pop();
    if (begin === undefined) continue;
    const kind = code - CLOSE;
    // The sign inside each mark is of a word, or outside is none.
    const begins = isWord(beside(begin, 1)) || !isWord(beside(begin, -1));
    const ends = isWord(beside(at, -1)) || !isWord(beside(at, 1));
    written[begin] = begins && ends ? SIGNS[kind] : `<${TAGS[kind]}>`;
    written[at] = begins && ends ? SIGNS[kind] : `</${TAGS[kind]}>`;
  }
  return written.join("");
}

/** @param {Element} element */
function code(element) {
  const text = (element.textContent ?? "").replace(/\s+/g, " ");
  if (text.trim() === "") return text;
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  // No backslash belongs before a sign of code.
  return (ticks + space + text + space + ticks).replaceAll("!", PICTURE);
}

/**
 * @param {Element} element
 * @param {string} text
 */
function link(element, text) {
  const address = element.getAttribute("href")?.trim() ?? "";
  const words = text.trim();
  if (!words || !/^(https?:|mailto:)/i.test(address)) return text;
  return text.replace(words, () => `[${words}](${target(address)})`);
}

/** @param {string} address */
const target = (address) => (/[()\s]/.test(address) ? `<${address.replace(/[<>\s]/g, encodeURIComponent)}>` : address);

/**
 * Keeps signs of a plain text from becoming Markdown.
 * @param {string} text
 */
function escaped(text) {
  const plain = text
    .replace(/[\ue000-\ue013]/g, "")
    .replace(/[\\`*[\]<]|(?<=\s|^)_|_(?=\s|$)|~(?=~)|(?<=~)~|&(?=#?\w+;)/g, "\\$&");
  // One sign alone is an amount; two make a formula.
  return (plain.match(/\$/g) ?? []).length > 1 ? plain.replaceAll("$", "\\$") : plain;
}

/**
 * One space between words, none at the ends of lines, and no line that begins by
 * accident as a heading, a quote, a list or a line below a heading.
 * @param {string} text
 */
const tidy = (text) =>
  marked(text.replace(/!(?=\[)/g, "\\!"))
    .replaceAll(PICTURE, "!")
    .replace(/\u00a0/g, " ")
    .replace(/ *\n */g, "\n")
    .replace(/ {2,}/g, " ")
    .trim()
    .replace(/^(#{1,6} |>|[-+] |-+$|=+$)/gm, "\\$1")
    .replace(/^(\d{1,9})([.)] )/gm, "$1\\$2")
    // Two line breaks end a paragraph.
    .replace(/\n{2,}/g, "\n\n")
    .replace(/(?<!\n)\n(?!\n)/g, "\\\n");

/** @param {string} text */
const oneLine = (text) => tidy(text.replaceAll("\n", " "));
