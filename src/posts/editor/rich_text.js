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
    "a[href],b,strong,i,em,h1,h2,h3,h4,h5,h6,ul,ol,blockquote,pre,code,table,s,del,span[style*=bold],span[style*=italic],span[style*='700']",
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
  return blocks(element);
}

/** @param {Element} element */
function fenced(element) {
  const text = (element.textContent ?? "").replace(/\n$/, "");
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
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
  const cells = rows.map((row) => [...row.cells].flatMap(cellsOf));
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
 * A cell, and an empty one for each further column that it spans.
 * @param {HTMLTableCellElement} cell
 */
const cellsOf = (cell) => {
  const text = oneLine(children(cell)).replaceAll("|", "\\|");
  return [text, ...Array(Math.min(cell.colSpan, 50) - 1).fill("")];
};

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
  if (tagName === "CODE" || tagName === "KBD" || tagName === "SAMP" || tagName === "TT") return code(node);
  const text = children(node);
  if (tagName === "A") return link(node, text);
  const style = node.getAttribute("style") ?? "";
  const weight = /font-weight:\s*(\w+)/i.exec(style)?.[1];
  // Google Docs wraps everything into <b style="font-weight:normal">.
  const isBold = weight ? weight === "bold" || Number(weight) >= 600 : tagName === "B" || tagName === "STRONG";
  const isItalic = /font-style:\s*(italic|oblique)/i.test(style) || tagName === "I" || tagName === "EM";
  const isStruck = tagName === "S" || tagName === "DEL";
  let marked = text;
  if (isStruck) marked = around(marked, "~~");
  if (isItalic) marked = around(marked, "*");
  if (isBold) marked = around(marked, "**");
  // A cell or an item within a line keeps its distance from the next one.
  return BLOCKS.has(tagName) ? ` ${marked} ` : marked;
}

/**
 * A picture that readers can load too: by https, and large enough to be seen.
 * @param {Element} element
 */
function picture(element) {
  const address = element.getAttribute("src")?.trim() ?? "";
  const isSmall = ["width", "height"].some((side) => Number(element.getAttribute(side) ?? 100) < 3);
  if (isSmall || !/^https:/i.test(address)) return "";
  const words = (element.getAttribute("alt") ?? "").replace(/\s+/g, " ").trim();
  return `![${escaped(words)}](${target(address)})`;
}

/**
 * Marks stand at words, not at spaces.
 * @param {string} text
 * @param {string} mark
 */
function around(text, mark) {
  const [, before, words, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? ["", "", "", ""];
  return words ? before + mark + words + mark + after : text;
}

/** @param {Element} element */
function code(element) {
  const text = (element.textContent ?? "").replace(/\s+/g, " ");
  if (text.trim() === "") return text;
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return ticks + space + text + space + ticks;
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
const escaped = (text) => text.replace(/[\\`*[\]<]|(?<=\s|^)_|_(?=\s|$)/g, "\\$&");

/**
 * One space between words, none at the ends of lines, and no line that begins by
 * accident as a heading, a quote or a list.
 * @param {string} text
 */
const tidy = (text) =>
  text
    .replace(/\u00a0/g, " ")
    .replace(/ *\n */g, "\n")
    .replace(/ {2,}/g, " ")
    .trim()
    .replace(/^(#{1,6} |>|[-+] )/gm, "\\$1")
    .replace(/^(\d{1,9})([.)] )/gm, "$1\\$2")
    // Two line breaks end a paragraph.
    .replace(/\n{2,}/g, "\n\n")
    .replace(/(?<!\n)\n(?!\n)/g, "\\\n");

/** @param {string} text */
const oneLine = (text) => tidy(text.replaceAll("\n", " "));
