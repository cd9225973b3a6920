// Saves a draft while its author writes: one save at a time, two seconds after the last
// key. What is published is not changed by it; there only the device keeps a draft.
//
// The islands keep a draft on the device with every key. They learn by the event `saved`
// of the form that the site has what the default values of the fields say, and forget that
// draft unless the fields have more.

const PAUSE = 2_000;

/** Between two tries while the site cannot be reached. */
const AGAIN = 10_000;

/** After Back: before its author goes on, and when the island has kept the text as well. */
const ARRIVED = 500;

/**
 * @param {object} room
 * @param {() => boolean} room.isBusy Whether a picture is on its way into the text.
 * @param {() => Promise<boolean>} room.settled Waits for them; whether all are in the text then.
 */
export function autosave({ form, area, say, replaceAll, isBusy, settled }) {
  const news = document.querySelector("#editor-news");
  // Those that an author fills in (`posts::drafts`).
  const names = form.dataset.fields.split(" ");
  const field = (name) => form.elements.namedItem(name);
  const title = field("title");
  let { id = "", editing } = form.dataset;
  let timer = 0;
  let running = null;
  let saved = typed();
  let isOffline = false;
  // A question that its author has not answered stops saving.
  let question = "";
  let waits = false;
  let passes = false;
  // Whether the text is that of a form that its author left and came back to.
  let isBack = false;
  // The form is on its way, and what it does must not be done by a save as well.
  let leaves = false;

  /** What is in the fields. Without a time, the zone is that of the device, and nobody chose it. */
  function typed() {
    const isThere = (name) => field(name) && (name !== "utc_offset" || field("publish_at")?.value);
    return Object.fromEntries(names.filter(isThere).map((name) => [name, field(name).value]));
  }

  const same = (one, other) => names.every((name) => one[name] === other[name]);

  /** From now on these are the default values, by which the island knows what the site has. */
  function setDefaults(values) {
    for (const [name, value] of Object.entries(values)) {
      const { options, value: chosen } = field(name);
      if (!options) field(name).defaultValue = value;
      for (const option of options ?? []) option.defaultSelected = option.value === value;
      // A list chooses what is marked.
      if (options) field(name).value = chosen;
    }
  }

  const input = (name) => form.querySelector(`:scope > input[name=${name}]`);

  function later(pause = PAUSE) {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  }

  function save() {
    clearTimeout(timer);
    running ??= saveNow().finally(() => (running = null));
    return running;
  }

  async function saveNow() {
    const text = typed();
    if (leaves || editing === "published" || question === "conflict" || same(text, saved)) return;
    // Its author has to decide first what the text becomes.
    if (form.querySelector("button[name=version]")) return;
    if (!id && !text.title.trim() && !text.content.trim()) return;
    // What stands in its place is no text.
    if (isBusy()) return settled().then(() => later(0));
    if (!navigator.onLine) return away();
    const body = new URLSearchParams(text);
    const version = input("version")?.value;
    if (id) body.set("id", id);
    if (id && version) body.set("version", version);
    // Somebody else may have logged in beside this tab.
    body.set("author", input("author").value);
    if (!id) body.set("idempotency_key", input("idempotency_key").value);
    let answer;
    try {
      // A tab that is closed may still send a little (the limit is 64 KiB).
      const keepalive = document.visibilityState === "hidden" && body.toString().length < 60_000;
      const headers = { accept: "application/json" };
      answer = await fetch("/api/save_draft", { method: "POST", headers, body, keepalive });
    } catch {
      return away();
    }
    isOffline = false;
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) return done(said, text);
    if (answer.status === 401) return loggedOut();
    if (answer.status === 409) return conflict(said.current ?? {});
    if (said.code === "key_reused" && said.made && !id) {
      // The first save arrived and its answer did not: go on with that draft. After Back,
      // nobody knows here what it has become meanwhile.
      become(said.made, isBack ? 0 : 1);
      form.dispatchEvent(new Event("saved"));
      return later(0);
    }
    if (answer.status === 404 && id) {
      ask("conflict", `This draft was deleted or published elsewhere. ${kept()}.`);
      return;
    }
    if (said.errors?.length) return say(`Not saved: ${said.errors.map(({ message }) => message).join(". ")}.`);
    say("Not saved yet; trying again.");
    later(1000 * (said.retry_after ?? AGAIN / 1000));
  }

  function done({ id: of, version }, text) {
    if (!id) become(of, version);
    input("version").value = version;
    saved = text;
    setDefaults(saved);
    if (question) ask("");
    const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    say(`Saved ${time}`);
    form.dispatchEvent(new Event("saved"));
    if (!same(typed(), saved)) later();
  }

  /** From now on the form is that of this draft, here and after a reload. */
  function become(of, version) {
    id = of;
    editing = "draft";
    const page = `/my-posts/${id}/edit`;
    form.dataset.page = page;
    form.action = `/my-posts/${id}/publish`;
    form.querySelector("button[data-does=save]").setAttribute("formaction", `/my-posts/${id}/draft`);
    input("idempotency_key").remove();
    const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: "version", value: version });
    form.prepend(hidden);
    history.replaceState(history.state, "", page);
  }

  /**
   * After Back, the browser brings back what was typed, in a form with another key. With its
   * own key the site knows the form again, so the text becomes no second post or draft.
   */
  function comeBack() {
    const key = input("idempotency_key");
    if (!key) return;
    const before = history.state?.key;
    if (title.value !== title.defaultValue || area.value !== area.defaultValue) {
      isBack = Boolean(before);
      key.value = before ?? key.value;
      saved = {};
      later(isBack ? ARRIVED : PAUSE);
    }
    history.replaceState({ ...history.state, key: key.value }, "");
  }

  /** Whether the island has found room for the text on this device. */
  function isKept() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith("byline-draft:"));
      const drafts = keys.map((key) => JSON.parse(localStorage.getItem(key)).draft);
      return drafts.some(({ details = [], ...draft }) => same(typed(), { ...draft, ...Object.fromEntries(details) }));
    } catch {
      return false;
    }
  }

  /** Where the text is, for sentences. */
  const kept = () =>
    same(typed(), saved) ? "Your text is saved" : isKept() ? "Your text is kept on this device" : "Your text is on this page alone: leave it open, or copy the text";

  function away() {
    isOffline = true;
    say(`You are offline. ${kept()}; publish when you are back.`);
    later(AGAIN);
  }

  function loggedOut() {
    if (question === "session") return;
    ask("session", `You are not logged in any more. ${kept()}. `, () => {
      const link = document.createElement("a");
      link.href = "/login?next=/my-posts";
      link.target = "_blank";
      link.textContent = "Log in in a new tab";
      const after = " and come back to this one: then your text is saved.";
      return [link, after];
    });
  }

  function conflict(current) {
    if (current.status !== "draft") {
      ask("conflict", `This is published already. ${kept()}. `, () => {
        const link = document.createElement("a");
        link.href = form.dataset.page;
        link.textContent = "Open what is published";
        return [link];
      });
      return;
    }
    ask("conflict", "This draft was changed in another tab or on another device. ", () => [
      answer("Keep my text", () => {
        input("version").value = current.version;
        const isMine = (name) => typed()[name] !== saved[name];
        // A time and its zone are one value.
        const time = ["publish_at", "utc_offset"];
        takeOver(current, (name) => !(time.includes(name) ? time.some(isMine) : isMine(name)));
        ask("");
        save();
      }),
      answer("Use the other text", () => {
        // One's own text stays a draft of this device.
        form.dispatchEvent(new Event("set-aside"));
        input("version").value = current.version;
        ask("");
        title.value = current.title;
        replaceAll(current.content);
        takeOver(current, () => true);
        saved = typed();
        setDefaults(saved);
        form.dispatchEvent(new Event("input"));
        form.dispatchEvent(new Event("saved"));
        say("The other text is in the form. Yours is kept on this device.");
      }),
      other(current),
    ]);
  }

  /** Puts what the site has beside the text into the fields for which `isTheirs` says so. */
  function takeOver({ tags, slug, language, publish_at: time, utc_offset: minutes }, isTheirs) {
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const fields = {
      tags: (tags ?? []).join(", "),
      address: slug ?? "",
      language: language ?? "",
      publish_at: time ? new Date(Date.parse(time) + minutes * 60_000).toISOString().slice(0, 16) : "",
      // Without a time, the zone is that of the device.
      ...(time && { utc_offset: `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}` }),
    };
    const theirs = Object.entries(fields).filter(([name]) => isTheirs(name));
    for (const [name, value] of theirs) {
      if (field(name)) field(name).value = value;
    }
  }

  /** The other text, to compare. */
  function other({ title: heading, content, tags }) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Show the other text";
    const text = document.createElement("textarea");
    text.readOnly = true;
    text.dir = "auto";
    text.rows = 6;
    text.setAttribute("aria-label", "The other text");
    const labels = tags?.length ? `\n\nTags: ${tags.join(", ")}` : "";
    text.value = `${heading}\n\n${content}${labels}`;
    details.append(summary, text);
    return details;
  }

  function answer(words, deed) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button";
    button.textContent = words;
    button.addEventListener("click", () => {
      deed();
      area.focus();
    });
    return button;
  }

  function ask(name, words = "", more = () => []) {
    question = name;
    // What was saved before says nothing of the text as it is now.
    if (name) say("");
    news.hidden = name === "";
    news.replaceChildren(words, ...more());
  }

  const goOn = () => {
    if (isOffline || question === "session") later(0);
  };

  form.addEventListener("input", () => {
    if (editing !== "published") later();
  });
  addEventListener("online", () => {
    if (isOffline) say("");
    isOffline = false;
    later(0);
  });
  addEventListener("offline", away);
  addEventListener("focus", goOn);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") goOn();
    else if (editing !== "published") save();
  });

  /** Whether the site answers at all. */
  async function isThere() {
    if (!navigator.onLine) return false;
    try {
      await fetch("/healthz", { method: "HEAD", cache: "no-store" });
      return true;
    } catch {
      return false;
    }
  }

  async function send(button) {
    waits = true;
    clearTimeout(timer);
    if (isBusy()) say("The picture is still on its way.");
    const isWhole = await settled();
    await running;
    clearTimeout(timer);
    waits = false;
    // Its author reads why a picture is missing, and decides.
    if (!isWhole) {
      say("");
      return later(0);
    }
    const mayBeThere = isBack || isOffline;
    if ((isOffline || !navigator.onLine) && !(await isThere())) return away();
    isOffline = false;
    // The site may have this text as a draft without this page knowing of it. Then that draft
    // is published, and does not stay beside the post.
    if (mayBeThere && !id) {
      waits = true;
      await save();
      waits = false;
    }
    clearTimeout(timer);
    passes = true;
    form.requestSubmit(button);
    passes = false;
  }

  function leave(event) {
    clearTimeout(timer);
    leaves = true;
    // Somebody else may keep it from being sent.
    setTimeout(() => (leaves = !event.defaultPrevented));
  }

  // The browser has put everything back by then.
  if (document.readyState === "complete") setTimeout(comeBack);
  else addEventListener("load", () => setTimeout(comeBack), { once: true });
  addEventListener("pageshow", ({ persisted }) => {
    leaves = false;
    if (!persisted) return;
    isBack = true;
    later();
  });
  addEventListener("beforeunload", (event) => {
    if (isBusy()) event.preventDefault();
  });

  form.addEventListener("submit", (event) => {
    if (passes) return leave(event);
    const { submitter } = event;
    const asks = submitter?.dataset.does === "publish" && title.value.trim() && !area.value.trim();
    if (waits || (asks && !confirm("There is no text yet, only a title. Publish it like this?"))) {
      event.preventDefault();
    } else if (running || isBusy() || isOffline || !navigator.onLine || (isBack && !id)) {
      event.preventDefault();
      send(submitter);
    } else {
      leave(event);
    }
  });
}
