import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { author, site } from '../support/site.js';

const byline = await site('plain');

/** What the suite of graphql-http says of the server, one test for each of its rules. */
function audit(credential, headers) {
  describe(`GraphQL over HTTP with ${credential}`, () => {
    const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
    const fetchFn = async (url, init = {}) =>
      fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...(await headers()) } });

    for (const { name, fn } of serverAudits({ url: byline.endpoint, fetchFn })) {
      test(name, async () => {
        const result = await fn();
        counts[result.status] += 1;
        // A notice is about what a server may do.
        assert(result.status === 'ok' || result.status === 'notice', result.reason);
      });
    }

    test('the counts', (context) => context.diagnostic(JSON.stringify(counts)));
  });
}

let token;
before(async () => ({ token } = await author(byline)));

audit('an API key', () => ({ 'x-api-key': byline.apiKey }));
audit('a token', () => ({ authorization: `Bearer ${token}` }));
