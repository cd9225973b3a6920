// Wakes the islands of a page: loads the module that `IslandScripts` names and
// calls, for each <leptos-island>, the function it is marked with. Leptos would
// inline this; as a file of its own it needs no exception in the page's policy.

// Data of hydrated resources. Islands of Byline take theirs as attributes.
globalThis.__RESOLVED_RESOURCES = [];
globalThis.__SERIALIZED_ERRORS = [];
globalThis.__PENDING_RESOURCES = [];
globalThis.__RESOURCE_RESOLVERS = [];
globalThis.__INCOMPLETE_CHUNKS = [];

const address = (id) => document.getElementById(id).href;

const module = await import(address("islands-module"));
await module.default({ module_or_path: address("islands-wasm") });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  await module[island.dataset.component]?.(island);
}
// What waits for the islands, a test for one, can see that they are awake.
document.documentElement.dataset.hydrated = "";
