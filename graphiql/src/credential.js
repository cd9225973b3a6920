// Who asks: whoever is logged in, or what was pasted into the field.

const KEY = 'byline-credential';

/** What was pasted; it is forgotten with the tab. */
export const credential = {
  get: () => sessionStorage.getItem(KEY) ?? '',
  set: (text) => (text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY)),
};

/** The headers of a request with what was pasted; none where nothing was. */
export function headers() {
  const text = credential.get().trim().replace(/^bearer\s+/i, '');
  if (!text) return {};
  // Three parts make a token (RFC 7519); an API key has no points.
  return text.split('.').length === 3 ? { authorization: `Bearer ${text}` } : { 'x-api-key': text };
}
