import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as timer } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/**
 * What the runner started and generated: `plain` speaks HTTP, `secure` HTTPS,
 * `versioned` HTTPS with conflict detection. `keyed` is `plain` once more, for
 * front ends that ask by the API key. `mailed` is as `plain`, and sends mail.
 * A test knows a site by the files that `byline codegen` has written, as a
 * front end does.
 *
 * @param {'plain' | 'keyed' | 'mailed' | 'secure' | 'versioned'} kind
 */
export async function site(kind) {
  const folder = process.env[`CLIENTS_${kind.toUpperCase()}`];
  assert(folder, 'these tests are started by run.js');
  const load = (file) => import(pathToFileURL(join(folder, file)).href);
  const { default: exports } = await load('aws-exports.js');
  const [queries, mutations, subscriptions] = await Promise.all(
    ['queries', 'mutations', 'subscriptions'].map((kind) => load(`graphql/${kind}.js`)),
  );
  return {
    folder,
    exports,
    endpoint: exports.aws_appsync_graphqlEndpoint,
    origin: new URL(exports.aws_appsync_graphqlEndpoint).origin,
    apiKey: exports.aws_appsync_apiKey,
    statements: { ...queries, ...mutations, ...subscriptions },
  };
}

/** `schema.graphql` with the scalars of AWS, which Amplify's generators define themselves. */
export async function wholeSchema({ folder }) {
  return `${await readFile(join(folder, 'schema.graphql'), 'utf8')}\nscalar AWSDateTime\n`;
}

/** Somebody whom no site knows yet. */
export function someone() {
  const username = `reader-${randomUUID().slice(0, 8)}`;
  return { username, email: `${username}@example.org`, password: `the quiet words of ${username}` };
}

/** Sends one operation as any program would. */
export async function send({ endpoint }, { query, variables }, headers) {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** Another person at work on the same site, without any of the clients. */
export async function author(site) {
  const person = someone();
  await form(site, '/api/sign_up', person);
  const token = await form(site, '/api/token', {
    grant_type: 'password',
    username: person.username,
    password: person.password,
  });
  const change = async (name, input) => {
    const statement = { query: site.statements[name], variables: { input } };
    const { body } = await send(site, statement, { authorization: token.access_token });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data[name];
  };
  return {
    ...person,
    token: token.access_token,
    create: (input) => change('createPost', input),
    update: (input) => change('updatePost', input),
    // Where conflicts are detected, posts have a version.
    delete: ({ id, _version }) => change('deletePost', { id, _version }),
  };
}

async function form({ origin }, path, fields) {
  const answer = await fetch(origin + path, {
    method: 'POST',
    headers: { accept: 'application/json', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(fields),
  });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

/** A deletion tells of the post as it was, and when it went. */
export function assertDeleted(told, post) {
  assert.deepEqual(told, { ...post, updatedAt: told.updatedAt });
  assert(told.updatedAt >= post.updatedAt);
}

/** What `promise` brings, or a failure that says what did not come. */
export async function soon(promise, what) {
  const late = new AbortController();
  const limit = timer(60_000, undefined, { signal: late.signal }).then(() => assert.fail(`no ${what}`));
  try {
    return await Promise.race([promise, limit]);
  } finally {
    limit.catch(() => {});
    late.abort();
  }
}

/** What is found at last, asked for time and again, or a failure that says what was not. */
export async function until(find, what) {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await find();
    if (found) return found;
    assert(Date.now() < end, `no ${what}`);
    await timer(50);
  }
}

/** What comes, in order, to be taken one by one. */
export class Inbox {
  #items = [];
  #takers = [];

  put = (item) => {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  };

  take(what) {
    if (this.#items.length) return Promise.resolve(this.#items.shift());
    return soon(new Promise((resolve) => this.#takers.push(resolve)), what);
  }

  get isEmpty() {
    return this.#items.length === 0;
  }
}

/** What the call was refused with. */
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return assert.fail('the call was not refused');
}
