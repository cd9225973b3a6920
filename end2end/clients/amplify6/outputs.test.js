import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import * as auth from 'aws-amplify/auth';
import { Hub } from 'aws-amplify/utils';
import WebSocket from 'ws';
import { listen } from '../support/listen.js';
import { author, site } from '../support/site.js';

globalThis.WebSocket ??= WebSocket;

const byline = await site('secure');

const API_KEY = { authMode: 'apiKey' };

describe('aws-amplify 6, by the outputs of the second generation,', () => {
  let me;
  let other;
  let client;
  let Post;

  /** What a model hands on, or why it does not. */
  const data = async (answer) => {
    const { data, errors } = await answer;
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };

  before(async () => {
    Amplify.configure(JSON.parse(await readFile(join(byline.folder, 'amplify_outputs.json'), 'utf8')));
    client = generateClient();
    ({ Post } = client.models);
    [me, other] = await Promise.all([author(byline), author(byline)]);
    const options = { authFlowType: 'USER_PASSWORD_AUTH' };
    await auth.signIn({ username: me.username, password: me.password, options });
  });

  after(() => auth.signOut());

  test('runs the statements of the first', async () => {
    const mine = await me.create({ title: 'Mine' });
    const query = byline.statements.getPost;
    for (const mode of [{}, API_KEY]) {
      const { data } = await client.graphql({ query, variables: { id: mine.id }, ...mode });
      assert.deepEqual(data.getPost, mine);
    }
  });

  test('makes, reads, edits and deletes a post by its model', async () => {
    const made = await data(Post.create({ title: 'By a model', content: 'First.' }));
    assert.equal(made.owner, me.username);
    const { id } = made;
    assert.deepEqual(await data(Post.get({ id })), made);
    assert.deepEqual(await data(Post.get({ id }, API_KEY)), made);
    const edited = await data(Post.update({ id, title: 'Edited' }));
    assert.deepEqual([edited.title, edited.content], ['Edited', 'First.']);
    assert.equal((await data(Post.delete({ id }))).id, id);
    assert.equal(await data(Post.get({ id }, API_KEY)), null);
  });

  test('lists by a filter, page by page, their own posts or those of all', async () => {
    for (const title of ['Vase 1', 'Chair', 'Vase 2']) await me.create({ title });
    await other.create({ title: 'Vase 3' });
    const list = async (options) => {
      const titles = [];
      let nextToken;
      do {
        const filter = { title: { beginsWith: 'Vase' } };
        const page = await Post.list({ filter, limit: 1, nextToken, ...options });
        for (const { title } of await data(page)) titles.push(title);
        nextToken = page.nextToken;
      } while (nextToken);
      return titles;
    };
    assert.deepEqual(await list(), ['Vase 2', 'Vase 1']);
    assert.deepEqual(await list(API_KEY), ['Vase 3', 'Vase 2', 'Vase 1']);
  });

  test('hears of posts by their model', async (t) => {
    const hear = (...options) => listen(t, Hub, () => Post.onCreate(...options), (post) => post);
    const [own, wanted] = [await hear(), await hear({ filter: { title: { contains: 'by their model' } }, ...API_KEY })];
    await other.create({ title: 'Not for everybody' });
    const theirs = await other.create({ title: 'Heard by their model' });
    const mine = await data(Post.create({ title: 'Mine' }));
    assert.equal((await wanted()).id, theirs.id);
    assert.deepEqual(await own(), mine);
  });

  test('hands on why a post was not changed', async () => {
    const theirs = await other.create({ title: 'Theirs' });
    const { data, errors } = await Post.update({ id: theirs.id, title: 'No' });
    assert.equal(data, null);
    assert.equal(errors[0].errorType, 'Unauthorized');
    const anonymous = await Post.create({ title: 'No' }, API_KEY);
    assert.equal(anonymous.errors[0].errorType, 'Unauthorized');
  });
});
