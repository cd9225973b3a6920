// Pictures in the editor: chosen, pasted or dropped, each is sent to the site and its
// Markdown appears where it belongs.

/** The longest wait for an answer to a picture: a slow network takes minutes for the largest. */
const MAX_WAIT = 5 * 60_000;

/**
 * @param {object} room
 * @param {HTMLTextAreaElement} room.area
 * @param {(from: number, to: number, text: string) => void} room.replace Keeps the selection.
 * @param {(text: string) => void} room.say
 */
export function pictures({ area, replace, say }) {
  const input = /** @type {HTMLInputElement} */ (document.querySelector("#picture"));
  const ask = /** @type {HTMLElement} */ (document.querySelector("#describe-picture"));
  const description = /** @type {HTMLInputElement} */ (document.querySelector("#picture-description"));
  const news = /** @type {HTMLElement} */ (document.querySelector("#picture-news"));
  /** The pictures that wait for their description. */
  const waiting = [];
  /** Ends when no upload is under way: the site takes one picture of an author at a time. */
  let free = Promise.resolve();
  /** Pictures that are not in the text yet. */
  const underWay = new Set();

  function uploadInTurn(file) {
    const sent = free.then(() => upload(file));
    free = sent.catch(() => {});
    return sent;
  }

  /** Why pictures were not added. It stays until others are, whatever is saved meanwhile. */
  function complain(...problems) {
    news.hidden = problems.length === 0;
    news.replaceChildren(...problems.map((problem) => Object.assign(document.createElement("p"), { textContent: problem })));
  }

  function addAll(files) {
    complain();
    const problems = [];
    for (const file of files) {
      const added = add(file, (problem) => {
        problems.push(problem);
        complain(...problems);
      });
      underWay.add(added);
      added.finally(() => underWay.delete(added));
    }
  }

  /** Waits until no picture is on its way. Whether all of them are in the text then. */
  async function settled() {
    let isWhole = true;
    while (underWay.size > 0) isWhole = (await Promise.all(underWay)).every(Boolean) && isWhole;
    return isWhole;
  }

  async function add(file, failed) {
    const name = file.name.replace(/[[\]()\\\n]/g, "") || "picture";
    const mark = placeholder(area.value, name);
    // Behind what is selected, which an upload that fails could not bring back.
    const { selectionEnd: at } = area;
    const before = at > 0 && area.value[at - 1] !== "\n" ? "\n" : "";
    replace(at, at, `${before}${mark}\n`);
    const typed = area.value;
    try {
      const { url } = await uploadInTurn(file);
      put(mark, `![](${url})`);
      say("The picture is in the text. Describe it for those who do not see it.");
      waiting.push(url);
      next(area.value.length - typed.length);
      return true;
    } catch (error) {
      put(mark, "");
      failed(`${name} was not added: ${error.message}`);
      return false;
    }
  }

  /** The text around the mark may have moved, and the mark may be gone. */
  function put(mark, text) {
    const at = area.value.indexOf(mark);
    if (at < 0) return;
    const end = at + mark.length;
    // Its line goes with it.
    replace(at, text === "" && area.value[end] === "\n" ? end + 1 : end, text);
  }

  function next() {
    ask.hidden = waiting.length === 0;
    description.value = "";
    if (waiting.length > 0 && document.activeElement === input) description.focus();
  }

  function described() {
    const url = waiting.shift();
    // The signs that Markdown reads in it, and the ends of lines.
    const words = description.value.trim().replace(/\s+/g, " ").replace(/[[\]\\`*_<&$~]/g, "\\$&");
    const plain = `![](${url})`;
    const at = area.value.indexOf(plain);
    if (words && at >= 0) replace(at, at + plain.length, `![${words}](${url})`);
    next();
    if (ask.hidden) area.focus();
  }

  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    addAll(files);
  });
  ask.addEventListener("click", (event) => {
    const answer = event.target.closest("button")?.dataset.answer;
    if (answer === "skip") description.value = "";
    if (answer) described();
  });
  description.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      described();
    }
  });
  area.addEventListener("dragover", (event) => {
    if ([...event.dataTransfer.items].some(({ kind }) => kind === "file")) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    const files = images(event.dataTransfer);
    if (files.length === 0) return;
    event.preventDefault();
    addAll(files);
  });
  return { addAll, isBusy: () => underWay.size > 0, settled };
}

/** The pictures of a paste or a drop. */
export const images = (transfer) => [...(transfer?.files ?? [])].filter(({ type }) => type.startsWith("image/"));

/** Words that are not in the text yet. */
function placeholder(text, name) {
  for (let count = 1; ; count += 1) {
    const mark = count === 1 ? `[Uploading ${name}…]` : `[Uploading ${name} (${count})…]`;
    if (!text.includes(mark)) return mark;
  }
}

async function upload(file) {
  const body = new FormData();
  body.append("file", file);
  let answer;
  try {
    answer = await fetch("/api/upload_media", {
      method: "POST",
      headers: { accept: "application/json" },
      body,
      // Saving and publishing wait for it.
      signal: AbortSignal.timeout(MAX_WAIT),
    });
  } catch {
    throw new Error("the site cannot be reached. Try again when you are online.");
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Error(reason(answer.status, said));
}

function reason(status, { errors, reason }) {
  if (errors?.length) return errors.map(({ message }) => `${message}.`).join(" ");
  if (status === 401) return "you are not logged in any more.";
  if (status === 413) return "it is too large.";
  return reason ?? "that did not work. Please try again.";
}
