// The writing room: what the keys, the toolbar, the clipboard and the tabs of the editor
// do. A plain module and no island, because it works with the clipboard and the
// selection of the browser, and because a page that only has an island would load it too.

const { textEdits, richText, pictureSupport, autosaving } =
  document.querySelector("script[data-text-edits]").dataset;
const [edits, rich, { pictures, images }, { autosave }] = await Promise.all(
  [textEdits, richText, pictureSupport, autosaving].map((address) => import(address)),
);

const form = document.querySelector("#editor");
const area = document.querySelector("#content");
const title = document.querySelector("#title");
const toolbar = document.querySelector("#toolbar");
const status = document.querySelector("#save-status");

const state = () => ({ text: area.value, start: area.selectionStart, end: area.selectionEnd });

/** A status is read out when it changes, so the same words are not set again. */
function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

/** The way of a change that the browser's own undo knows. */
function insert(from, to, text) {
  area.focus({ preventScroll: true });
  area.setSelectionRange(from, to);
  const done =
    from === to && text === ""
      ? true
      : text === ""
        ? document.execCommand("delete")
        : document.execCommand("insertText", false, text);
  if (!done) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

function apply({ from, to, insert: text, start, end }) {
  insert(from, to, text);
  area.setSelectionRange(start, end);
}

/** Changes a part of the text, and leaves selection and focus where they are. */
function replace(from, to, text) {
  const { start, end } = state();
  const focused = document.activeElement;
  const longer = text.length - (to - from);
  const moved = (at) => (at >= to ? at + longer : Math.min(at, from + text.length));
  insert(from, to, text);
  area.setSelectionRange(moved(start), moved(end));
  if (focused !== area && focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

const replaceAll = (text) => insert(0, area.value.length, text);

// The toolbar is one stop of the Tab key; arrows move within it.
const tools = [...toolbar.querySelectorAll("button, input")];

function reach(tool) {
  for (const other of tools) other.tabIndex = other === tool ? 0 : -1;
  tool.focus();
}

toolbar.addEventListener("keydown", (event) => {
  const at = tools.indexOf(event.target);
  const isRightToLeft = getComputedStyle(toolbar).direction === "rtl";
  const steps = { ArrowRight: isRightToLeft ? -1 : 1, ArrowLeft: isRightToLeft ? 1 : -1 };
  let next;
  if (event.key in steps) next = tools[(at + steps[event.key] + tools.length) % tools.length];
  if (event.key === "Home") next = tools[0];
  if (event.key === "End") next = tools.at(-1);
  if (at < 0 || !next) return;
  event.preventDefault();
  reach(next);
});
// A click on a button takes neither the focus nor the selection from the text.
toolbar.addEventListener("mousedown", (event) => {
  if (event.target.closest("button")) event.preventDefault();
});
toolbar.addEventListener("click", (event) => {
  const name = event.target.closest("button")?.dataset.edit;
  if (name) apply(edits[name](state()));
});
for (const [at, tool] of tools.entries()) tool.tabIndex = at === 0 ? 0 : -1;

const KEYS = { b: "bold", i: "italic", k: "link" };

area.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const name = isCommand ? KEYS[event.key.toLowerCase()] : undefined;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const change = name ? edits[name](state()) : event.key === "Enter" && isPlain ? edits.nextLine(state()) : null;
  if (!change) return;
  event.preventDefault();
  apply(change);
});

let isPlainPaste = false;

form.addEventListener("keydown", (event) => {
  const isCommand = event.ctrlKey || event.metaKey;
  isPlainPaste = isCommand && event.shiftKey && event.key.toLowerCase() === "v";
  if (!isCommand || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button[data-does=publish], button[data-does=change]"));
});

const { addAll, isBusy, settled } = pictures({ area, replace, say });

area.addEventListener("paste", (event) => {
  const { clipboardData: data } = event;
  if (isPlainPaste || !data) return;
  const [text, html, files] = [data.getData("text/plain"), data.getData("text/html"), images(data)];
  const { start, end } = state();
  const selected = area.value.slice(start, end);
  if (edits.isLink(text) && selected.trim() && !edits.isLink(selected) && !selected.includes("\n\n")) {
    event.preventDefault();
    apply(edits.link(state(), text.trim()));
  } else if (files.length > 0 && !text) {
    event.preventDefault();
    addAll(files);
  } else if (html && !edits.isInFence(area.value, start) && rich.isRich(html)) {
    const written = rich.markdown(html);
    if (!written) return;
    event.preventDefault();
    insert(start, end, written);
  }
});

// Words and minutes, once the browser has nothing else to do.
const count = document.querySelector("#text-size");
let counting = 0;

function countLater() {
  clearTimeout(counting);
  counting = setTimeout(() => (count.textContent = edits.size(area.value)), 300);
}

form.addEventListener("input", countLater);
countLater();

// Write and Preview are tabs where there is no room for both.
const tablist = document.querySelector("#editor-tabs");
const tabs = [...tablist.querySelectorAll("button")];
tablist.setAttribute("role", "tablist");
tablist.setAttribute("aria-label", "Editor");
for (const tab of tabs) tab.setAttribute("role", "tab");
const narrow = matchMedia("(width < 64rem)");

function choose(tab, focus = true) {
  for (const other of tabs) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
  }
  form.dataset.tab = tab.dataset.tab;
  if (focus) tab.focus();
}

function layOut() {
  tablist.hidden = !narrow.matches;
  for (const tab of tabs) {
    const panel = document.getElementById(tab.getAttribute("aria-controls"));
    if (!panel) continue;
    if (narrow.matches) {
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
    } else {
      panel.removeAttribute("role");
      if (panel.dataset.label) panel.setAttribute("aria-labelledby", panel.dataset.label);
      else panel.removeAttribute("aria-labelledby");
    }
  }
  if (!narrow.matches || !form.dataset.tab) choose(tabs[0], false);
}

tablist.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) choose(tab);
});
tablist.addEventListener("keydown", (event) => {
  const other = tabs[1 - tabs.indexOf(event.target)];
  const next = { ArrowLeft: other, ArrowRight: other, Home: tabs[0], End: tabs.at(-1) }[event.key];
  if (!next) return;
  event.preventDefault();
  choose(next);
});
narrow.addEventListener("change", layOut);
layOut();

// The time zone of a time is that of the device on that day, until its author chooses.
const time = document.querySelector("#publish_at");
const zone = document.querySelector("#utc_offset");

function chooseZone() {
  const minutes = -new Date(time.value || Date.now()).getTimezoneOffset();
  const two = (number) => String(number).padStart(2, "0");
  const ahead = Math.abs(minutes);
  const shown = `${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  if ([...zone.options].some(({ value }) => value === shown)) zone.value = shown;
}

if (time && !time.value) {
  chooseZone();
  time.addEventListener("input", chooseZone);
  zone.addEventListener("change", () => time.removeEventListener("input", chooseZone));
}

toolbar.hidden = false;
autosave({ form, area, say, replaceAll, isBusy, settled });

// A new post begins with its title. A phone would cover half the page with keys, and
// somebody who is elsewhere already stays there.
const isElsewhere = document.activeElement && document.activeElement !== document.body;
const hasText = title.value || area.value || document.querySelector(".draft-offer");
if (form.dataset.editing === "new" && !isElsewhere && !hasText && matchMedia("(hover: hover)").matches) {
  title.focus({ preventScroll: true });
}
// Tests, for example, wait for this before they use the room.
form.dataset.ready = "";
