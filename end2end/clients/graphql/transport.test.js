import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Inbox, author, site, soon, someone } from '../support/site.js';

const byline = await site('plain');
const { statements } = byline;

const open = new Set();

/**
 * A client of graphql-ws that keeps one connection, and gives up at the first refusal.
 *
 * @param {object} [connectionParams] the credential as `connection_init` carries it
 * @param {object} [headers] the credential as the upgrade carries it
 */
function connect(connectionParams, headers = {}) {
  class Socket extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { headers });
    }
  }
  const url = byline.endpoint.replace(/^http/, 'ws');
  const client = createClient({
    url,
    webSocketImpl: Socket,
    connectionParams,
    retryAttempts: 0,
    lazy: false,
    // The first operation is told of it as well.
    onNonLazyError() {},
  });
  open.add(client);
  return client;
}

const execute = (client, query, variables) =>
  soon(
    new Promise((next, error) => client.subscribe({ query, variables }, { next, error, complete() {} })),
    'answer',
  );

/**
 * Subscribes on a connection that answers a query afterwards: messages of one
 * connection are taken in order, so by then the server listens.
 *
 * `next` waits for the next event, or, for an id, for the next one of the post
 * with that id: other tests make posts on the same site at the same time.
 */
async function listen(client, query, variables) {
  const inbox = new Inbox();
  const ended = new Promise((complete, error) =>
    client.subscribe({ query, variables }, { next: inbox.put, error, complete }),
  );
  ended.catch(() => {});
  await execute(client, '{ __typename }');
  const next = async (id) => {
    for (;;) {
      const event = await Promise.race([inbox.take('event'), ended]);
      const [post] = Object.values(event?.data ?? {});
      if (id === undefined || !post || post.id === id) return event;
    }
  };
  return { next, ended };
}

/** A session as a browser has it after signing up. */
async function session() {
  const answer = await fetch(`${byline.origin}/api/sign_up`, {
    method: 'POST',
    headers: { accept: 'application/json', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(someone()),
  });
  assert.equal(answer.status, 200);
  const cookie = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ');
  return { cookie, origin: byline.origin };
}

describe('graphql-ws', () => {
  let me;
  let other;
  before(async () => {
    [me, other] = await Promise.all([author(byline), author(byline)]);
  });
  after(() => Promise.all([...open].map((client) => client.dispose())));

  const CREDENTIALS = {
    'an API key': () => connect({ 'x-api-key': byline.apiKey }),
    'a token': () => connect({ Authorization: me.token }),
    'a token that says Bearer': () => connect({ Authorization: `Bearer ${me.token}` }),
  };

  for (const [name, client] of Object.entries(CREDENTIALS)) {
    test(`asks and listens with ${name}`, async () => {
      const connection = client();
      const { data, errors } = await execute(connection, statements.listPosts, { limit: 1 });
      assert.equal(errors, undefined);
      assert(data.listPosts.items);
      const events = await listen(connection, statements.onCreatePost);
      const post = await me.create({ title: `Heard with ${name}` });
      const event = await events.next(post.id);
      assert.equal(event.data.onCreatePost.title, post.title);
      assert.equal(event.data.onCreatePost.owner, me.username);
    });
  }

  test('asks and writes with the session of a browser', async () => {
    const connection = connect(undefined, await session());
    const mutation = statements.createPost;
    const { data, errors } = await execute(connection, mutation, { input: { title: 'By a browser' } });
    assert.equal(errors, undefined, JSON.stringify(errors));
    const { data: again } = await execute(connection, statements.getPost, { id: data.createPost.id });
    assert.equal(again.getPost.title, 'By a browser');
  });

  test('a session from another origin is none', async () => {
    const headers = { ...(await session()), origin: 'https://elsewhere.test' };
    await assert.rejects(execute(connect(undefined, headers), statements.listPosts));
  });

  test('hears edits and deletions', async () => {
    const connection = connect({ 'x-api-key': byline.apiKey });
    const edits = await listen(connection, statements.onUpdatePost);
    const deletions = await listen(connection, statements.onDeletePost);
    const post = await other.create({ title: 'Soon gone' });
    await other.update({ id: post.id, title: 'Sooner' });
    assert.equal((await edits.next(post.id)).data.onUpdatePost.title, 'Sooner');
    await other.delete(post);
    assert.equal((await deletions.next(post.id)).data.onDeletePost.id, post.id);
  });

  test('an author hears of no post of another', async () => {
    const events = await listen(connect({ Authorization: me.token }), statements.onCreatePost);
    await other.create({ title: 'Not for everybody' });
    const mine = await me.create({ title: 'After it' });
    assert.equal((await events.next()).data.onCreatePost.id, mine.id);
  });

  test('a wrong document is an error of its operation alone', async () => {
    const connection = connect({ 'x-api-key': byline.apiKey });
    const errors = await execute(connection, '{ nothingOfThat }').catch((errors) => errors);
    assert(Array.isArray(errors), 'errors, not a closed connection');
    const { data } = await execute(connection, '{ __typename }');
    assert.equal(data.__typename, 'Query');
  });

  for (const [name, params] of Object.entries({
    'a wrong key': { 'x-api-key': 'da2-nosuchkey' },
    'a wrong token': { Authorization: 'no-token' },
    'no credential': undefined,
  })) {
    test(`is refused with ${name}`, async () => {
      const reason = await execute(connect(params), statements.listPosts).then(
        (answer) => assert.fail(JSON.stringify(answer)),
        (reason) => reason,
      );
      // What a client must not try again, by the protocol.
      assert([4401, 4403].includes(reason.code), `closed with ${reason.code ?? reason}`);
    });
  }
});
