// Starts the islands of a page: loads the module that `IslandScripts` names and
// calls, for each <leptos-island>, the function that it names. Leptos writes this
// inline and offers a nonce (https://github.com/leptos-rs/leptos/issues/1334); a
// file needs neither a nonce nor an exception in the Content-Security-Policy.

// Data of hydrated resources. Islands of Byline take theirs as attributes.
globalThis.__RESOLVED_RESOURCES = [];
globalThis.__SERIALIZED_ERRORS = [];
globalThis.__PENDING_RESOURCES = [];
globalThis.__RESOURCE_RESOLVERS = [];
globalThis.__INCOMPLETE_CHUNKS = [];

const { module: address, wasm, wake } = document.querySelector("script[data-wasm]").dataset;

// A page for reading is shown first: its islands start when the browser is idle,
// and never for people who ask to save data.
if (wake === "idle") {
  if (navigator.connection?.saveData) await new Promise(() => {});
  if (document.readyState !== "complete") {
    await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  }
  await new Promise((idle) => (globalThis.requestIdleCallback ?? setTimeout)(idle));
}

const module = await import(address);
await module.default({ module_or_path: wasm });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  await module[island.dataset.component]?.(island);
}
// Tests, for example, wait for this before they use the islands.
document.documentElement.dataset.hydrated = "";
