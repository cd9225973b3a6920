import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import * as auth from 'aws-amplify/auth';
import { Hub } from 'aws-amplify/utils';
import WebSocket from 'ws';
import { listen } from '../support/listen.js';
import { author, site, soon } from '../support/site.js';

globalThis.WebSocket ??= WebSocket;

const byline = await site('secure');
const { statements } = byline;

/**
 * Seconds that an access token lives here: long enough to subscribe by it, also
 * for a client that takes the last five as over.
 */
const SHORT = 12;

const SCRIPT = `
import sqlite3, sys, time
_, file, family, seconds = sys.argv
with sqlite3.connect(file, timeout=10) as database:
    end = int((time.time() + float(seconds)) * 1_000_000)
    changed = database.execute("UPDATE token_families SET expires_at = ? WHERE id = ?", (end, family))
    assert changed.rowcount == 1
`;

/** Has a family of tokens end so many seconds from now; no token outlives its family. */
const end = (family, seconds) =>
  promisify(execFile)('python3', ['-c', SCRIPT, process.env.CLIENTS_SECURE_DATABASE, family, String(seconds)]);

const accessToken = async (options) => (await auth.fetchAuthSession(options)).tokens.accessToken;

/** The client has subscribed once more, by itself. */
function acknowledgedAgain(test) {
  const acknowledged = new Promise((resolve) => {
    const heard = ({ payload: { event } }) => event === 'Subscription ack' && resolve();
    test.after(Hub.listen('api', heard));
  });
  return soon(acknowledged, 'second acknowledgement of the subscription');
}

describe('whoever has signed in with aws-amplify 6', () => {
  let me;

  before(async () => {
    Amplify.configure(byline.exports);
    me = await author(byline);
    const options = { authFlowType: 'USER_PASSWORD_AUTH' };
    await auth.signIn({ username: me.username, password: me.password, options });
  });

  after(() => auth.signOut());

  test('goes on hearing when the access token has expired, by a new one', async (t) => {
    const family = (await accessToken()).payload.origin_jti;
    await end(family, SHORT);
    const old = await accessToken({ forceRefresh: true });
    await end(family, 24 * 60 * 60);
    assert(old.payload.exp <= Date.now() / 1000 + SHORT, 'it lives as short as its family was to');

    const client = generateClient();
    const start = () => client.graphql({ query: statements.onCreatePost });
    const heard = await listen(t, Hub, start, ({ data }) => data.onCreatePost);
    // The site ends what rests on the old token, and the client comes back.
    await acknowledgedAgain(t);
    assert.notEqual((await accessToken()).toString(), old.toString());
    const post = await me.create({ title: 'Heard by the new token' });
    assert.deepEqual(await heard(), post);
  });
});
