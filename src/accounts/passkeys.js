// Passkeys: asks the browser to make one or to sign with one, puts the answer into
// the form, and sends it as any other form, so errors, redirects and notices are
// those of every form. A plain module, because navigator.credentials is JavaScript:
// WebAssembly would need the same lines as glue, and a page of login would have to
// load all islands first.

const BEGIN = {
  add: "/api/begin_passkey",
  "log-in": "/api/begin_passkey_log_in",
  confirm: "/api/begin_passkey_confirmation",
};

/** A ceremony lasts five minutes; one that waits for the keyboard is begun anew. */
const RENEW = 4 * 60 * 1000;

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const known = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

/** The options as the browser takes them: bytes where JSON has base64. */
function parsed({ challenge, user, excludeCredentials, allowCredentials, ...rest }) {
  return {
    ...rest,
    challenge: bytes(challenge),
    ...(user && { user: { ...user, id: bytes(user.id) } }),
    ...(excludeCredentials && { excludeCredentials: known(excludeCredentials) }),
    ...(allowCredentials && { allowCredentials: known(allowCredentials) }),
  };
}

/** What the browser has made or signed, as JSON. */
function encoded(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const present = parts.filter((part) => response[part] instanceof ArrayBuffer);
  // Where it was made, the rest is in the attestation.
  const wanted = response.attestationObject ? present.slice(0, 2) : present;
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(wanted.map((part) => [part, text(response[part])])),
    clientExtensionResults: {},
  });
}

/** A refusal of the site, in its own words. */
class Refused extends Error {}

async function begin(kind) {
  const answer = await fetch(BEGIN[kind], {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
  });
  const body = await answer.json();
  if (answer.ok) return body;
  const here = encodeURIComponent(location.pathname);
  if (body.code === "not_signed_in") location.assign(`/login?next=${here}`);
  if (body.code === "confirm_identity") location.assign(`/account/confirm?next=${here}`);
  throw new Refused(body.reason ?? "The site cannot do this just now. Please try again in a moment.");
}

async function ask(kind, more) {
  const { ceremony, options } = await begin(kind);
  const publicKey = parsed(options);
  const { credentials } = navigator;
  const credential = await (kind === "add"
    ? credentials.create({ publicKey, ...more })
    : credentials.get({ publicKey, ...more }));
  return { ceremony, credential: encoded(credential) };
}

function send(form, answer) {
  const keep = document.querySelector("input[type=checkbox][name=keep_signed_in]");
  if (keep?.checked) form.elements.namedItem("keep_signed_in").value = keep.value;
  for (const [name, value] of Object.entries(answer)) form.elements.namedItem(name).value = value;
  form.submit();
}

/** Shows a sentence beside the button, and reads it out. */
function say(form, sentence) {
  form.querySelector("[data-passkey-problem]").textContent = sentence;
}

function sentence(kind, error) {
  if (error instanceof Refused) return error.message;
  switch (error?.name) {
    case "InvalidStateError":
      return "This device has a passkey of your account already.";
    case "NotSupportedError":
    case "ConstraintError":
      return "This device cannot keep a passkey that asks who you are.";
    case "SecurityError":
      return "Passkeys do not work at this address of the site.";
    case "NotAllowedError":
      return kind === "add"
        ? "No passkey was made: it was cancelled, took too long, or this device cannot keep one that asks who you are."
        : "No passkey was used: it was cancelled, took too long, or this device has none for this site.";
    default:
      return "That did not work. Please try again.";
  }
}

/** The request that waits until a passkey is chosen where the name is typed. */
let waiting = new AbortController();

async function offerWhileTyping(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  for (;;) {
    const { signal } = waiting;
    const end = setTimeout(() => waiting.abort("renewed"), RENEW);
    try {
      return send(form, await ask("log-in", { mediation: "conditional", signal }));
    } catch {
      if (signal.reason !== "renewed") return;
      waiting = new AbortController();
    } finally {
      clearTimeout(end);
    }
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const kind = form.dataset.passkey;
  form.addEventListener("submit", async (event) => {
    // A form that is not filled in goes to the site, which says what is missing.
    const name = form.elements.namedItem("name");
    if (name && !name.value.trim()) return;
    event.preventDefault();
    waiting.abort();
    const button = form.querySelector("button");
    button.disabled = true;
    say(form, "");
    try {
      if (!globalThis.PublicKeyCredential) {
        throw new Refused("Your browser has no passkeys here: it needs https, or a newer version.");
      }
      send(form, await ask(kind));
    } catch (error) {
      say(form, sentence(kind, error));
      button.disabled = false;
      button.focus();
    }
  });
  // Not again after a refusal, which would be the same.
  const isFirst = !document.querySelector(".error-summary");
  if (kind === "log-in" && isFirst && globalThis.PublicKeyCredential) offerWhileTyping(form);
}
// Tests, for example, wait for this.
document.documentElement.dataset.passkeys = "";
