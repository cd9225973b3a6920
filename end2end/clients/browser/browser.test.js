import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { author, site, someone } from '../support/site.js';
import { open } from './open.js';

const byline = await site('secure');
const { apiKey } = byline;

describe('in a browser, on a page of another origin', () => {
  let page;
  let close;
  /** The requests to the site, in their order. */
  const asked = [];

  before(async () => {
    ({ page, close } = await open(join(import.meta.dirname, 'page.js'), byline));
    page.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin === byline.origin) asked.push({ method: request.method(), path: pathname });
    });
    await page.waitForFunction('window.clients');
  });

  after(() => close?.());

  /** Calls a client in the page. */
  const call = (client, name, ...args) =>
    page.evaluate(([client, name, args]) => window.clients[client][name](...args), [client, name, args]);
  const value = async (...named) => {
    const { value, error } = await call(...named);
    assert.equal(error, undefined, JSON.stringify(error));
    return value;
  };
  const refused = async (...named) => {
    const { value, error } = await call(...named);
    assert(error, JSON.stringify(value));
    return error;
  };
  const methods = async (work) => {
    asked.length = 0;
    await work();
    return asked.filter(({ method }) => method !== 'OPTIONS').map(({ method, path }) => `${method} ${path}`);
  };

  test('aws-amplify 6 signs up and in, reads, writes and hears of it', async () => {
    const me = someone();
    const { isSignUpComplete } = await value('amplify6', 'signUp', me);
    assert(isSignUpComplete);
    const wrong = await refused('amplify6', 'signIn', { ...me, password: 'a wrong one' });
    assert.deepEqual(wrong, { name: 'NotAuthorizedException', message: 'Incorrect username or password.' });
    assert((await value('amplify6', 'signIn', me)).isSignedIn);
    assert.equal(await value('amplify6', 'whoAmI'), me.username);

    const created = await value('amplify6', 'create', { title: 'From another origin' });
    assert.equal(created.owner, me.username);
    assert.deepEqual((await value('amplify6', 'list')).map(({ id }) => id), [created.id]);
    assert((await value('amplify6', 'list', 'apiKey')).some(({ id }) => id === created.id));
    const denied = await refused('amplify6', 'create', { title: 'No' }, 'apiKey');
    assert.equal(denied.message, 'Not Authorized to access createPost on type Mutation');
    const heard = await value('amplify6', 'hear', { title: 'Heard in a browser' });
    assert.equal(heard.title, 'Heard in a browser');

    // Both tokens are taken, in whichever client.
    const tokens = await call('amplify6', 'tokens');
    for (const authorization of [tokens.access, tokens.id, `Bearer ${tokens.id}`]) {
      const query = ['apollo', 'query', '{ me { username } }', {}];
      assert.deepEqual(await value(...query, { authorization }), { me: { __typename: 'User', username: me.username } });
    }
    await value('amplify6', 'signOut');
    const over = await refused('apollo', 'query', '{ me { username } }', {}, { authorization: tokens.id });
    assert.match(over.message, /401|expired/i);
  });

  test('the AWS SDK signs up and in, and reads what is wrong', async () => {
    const me = someone();
    assert.equal(await value('sdk', 'signUp', me), true);
    assert.equal((await refused('sdk', 'signUp', me)).name, 'UsernameExistsException');
    assert.equal(await value('sdk', 'signIn', me), me.username);
    const wrong = await refused('sdk', 'signIn', { ...me, password: 'a wrong one' });
    assert.deepEqual(wrong, { name: 'NotAuthorizedException', message: 'Incorrect username or password.' });
  });

  test('urql with its defaults asks by GET and writes by POST', async () => {
    const me = await author(byline);
    const mutation = 'mutation C($input: CreatePostInput!) { createPost(input: $input) { id title } }';
    const variables = { input: { title: 'By urql' } };
    const { createPost } = await value('urql', 'run', 'mutation', mutation, variables, { authorization: me.token });
    const query = 'query G($id: ID!) { getPost(id: $id) { title } }';
    for (const headers of [{ 'x-api-key': apiKey }, { authorization: `Bearer ${me.token}` }]) {
      const sent = await methods(async () => {
        const { getPost } = await value('urql', 'run', 'query', query, { id: createPost.id }, headers);
        assert.equal(getPost.title, 'By urql');
      });
      assert.deepEqual(sent, ['GET /graphql']);
    }
    const wrong = await refused('urql', 'run', 'query', query, { id: createPost.id }, { 'x-api-key': 'byl_wrong' });
    assert.match(wrong.message, /You are not authorized to make this call/);
    const mistaken = await refused('urql', 'run', 'query', '{ nothingOfThat }', {}, { 'x-api-key': apiKey });
    assert.match(mistaken.message, /nothingOfThat/);
  });

  test('Apollo asks by GET', async () => {
    const me = await author(byline);
    const { id } = await me.create({ title: 'For Apollo' });
    const query = 'query G($id: ID!) { getPost(id: $id) { title } }';
    const title = async () => (await value('apollo', 'query', query, { id }, { 'x-api-key': apiKey })).getPost.title;
    const sent = await methods(async () => assert.equal(await title(), 'For Apollo'));
    assert.deepEqual(sent, ['GET /graphql']);
    // The browser's cache asks whether what it has still holds.
    assert.equal(await title(), 'For Apollo');
    await me.update({ id, title: 'Mended' });
    assert.equal(await title(), 'Mended');
  });
});
