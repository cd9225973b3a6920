// Keeps the theme that a reader has chosen in the footer. Without script the choice counts
// for the page that it is made on (style/tokens.css). This runs before the page is drawn, so
// that no page flashes in another theme.

const root = document.documentElement;
const KEPT = "theme";

function show(theme) {
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  else delete root.dataset.theme;
  const chosen = document.querySelector(`.theme [value="${root.dataset.theme ?? "system"}"]`);
  if (chosen) chosen.checked = true;
}

// Browsers that keep nothing for a site throw here.
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

show(kept());
addEventListener("DOMContentLoaded", () => show(kept()));
addEventListener("change", ({ target }) => {
  if (target.name !== "theme") return;
  show(target.value);
  try {
    localStorage.setItem(KEPT, target.value);
  } catch {
    // It counts for this page then.
  }
});
// Other pages that are open.
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEPT) show(newValue);
});
