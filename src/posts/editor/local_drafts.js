// Tells on the list of one's posts which drafts this device keeps. `posts::drafts` stores
// them, as `byline-draft:{username}:{page of the editor}:{id}`.

const section = document.querySelector("#local-drafts");
const list = section.querySelector("ul");
const prefix = `byline-draft:${section.dataset.username}:`;

function kept() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    // A browser may forbid it.
    return [];
  }
}

function read(key) {
  try {
    const { draft, at } = JSON.parse(localStorage.getItem(key));
    return [{ page: key.slice(prefix.length, key.lastIndexOf(":")), ...draft, at }];
  } catch {
    return [];
  }
}

const drafts = kept().flatMap(read).sort((one, other) => other.at - one.at);

for (const { page, title, content, at } of drafts) {
  const link = document.createElement("a");
  link.href = page;
  link.dir = "auto";
  link.textContent = title.trim() || "Untitled";
  const item = document.createElement("li");
  const count = [...content].length;
  item.append(link, `, ${count} ${count === 1 ? "character" : "characters"}, ${new Date(at).toLocaleString("en-GB")}`);
  list.append(item);
}
section.hidden = drafts.length === 0;
