import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { listen } from './support/listen.js';
import { assertDeleted, author, refusal, send, site, someone } from './support/site.js';

/**
 * What the versions before 6 do alike.
 *
 * @param {string} name of the package and its major version
 * @param {{ Amplify: any, API: any, Auth: any, Hub: any, graphqlOperation: any }} client
 */
export async function testOlderAmplify(name, { Amplify, API, Auth, Hub, graphqlOperation }) {
  const byline = await site('plain');
  const { statements } = byline;
  Amplify.configure(byline.exports);

  /** By the API key. */
  const read = (query, variables = {}) =>
    API.graphql({ query: statements[query], variables, authMode: 'API_KEY' });
  /** By the default, which is the user pool. */
  const own = (operation, variables) => API.graphql(graphqlOperation(statements[operation], variables));
  const one = async (statement, variables, by = own) => (await by(statement, variables)).data[statement];
  const hear = (test, statement, variables, by) =>
    listen(test, Hub, () => by(statement, variables), ({ value }) => value.data[statement]);
  const problem = async (operation) => (await refusal(operation)).errors?.[0];

  describe(name, () => {
    const me = someone();
    let other;

    before(async () => {
      other = await author(byline);
      const { username, password, email } = me;
      const { userConfirmed } = await Auth.signUp({ username, password, attributes: { email } });
      assert(userConfirmed, 'nobody has to confirm anything');
      assert.equal((await Auth.signIn(username, password)).username, username);
    });

    after(() => Auth.signOut());

    test('whoever signs in is known by name and address', async () => {
      const user = await Auth.currentAuthenticatedUser({ bypassCache: true });
      assert.equal(user.username, me.username);
      assert.equal(user.attributes.email, me.email);
      assert.equal((await Auth.currentUserInfo()).username, me.username);
    });

    test('whoever signs in gets new tokens, time and again', async () => {
      const seen = new Set();
      for (let at = 0; at < 3; at += 1) {
        const user = await Auth.currentAuthenticatedUser();
        const refresh = promisify(user.refreshSession.bind(user));
        const session = await refresh((await Auth.currentSession()).getRefreshToken());
        seen.add(session.getAccessToken().getJwtToken());
      }
      assert.equal(seen.size, 3);
      assert(await one('listPosts'));
    });

    test('an author creates, reads, edits and deletes a post', async () => {
      const created = await one('createPost', { input: { title: 'One', content: 'First.' } });
      const { id } = created;
      assert.equal(created.owner, me.username);
      assert.deepEqual(await one('getPost', { id }), created);
      assert.deepEqual(await one('getPost', { id }, read), created);
      const edited = await one('updatePost', { input: { id, title: 'Two' } });
      assert.equal(edited.title, 'Two');
      assertDeleted(await one('deletePost', { input: { id } }), edited);
      assert.equal(await one('getPost', { id }, read), null);
    });

    test('an author lists their own posts, a reader those of all', async () => {
      const mine = await one('createPost', { input: { title: 'Mine' } });
      const theirs = await other.create({ title: 'Theirs' });
      const ids = async (by, variables) =>
        (await one('listPosts', variables, by)).items.map(({ id }) => id);
      const [owned, all] = [await ids(own), await ids(read)];
      assert(owned.includes(mine.id) && !owned.includes(theirs.id));
      assert(all.includes(mine.id) && all.includes(theirs.id));

      const titles = [];
      let nextToken = null;
      do {
        const filter = { or: [{ id: { eq: mine.id } }, { id: { eq: theirs.id } }] };
        const page = await one('listPosts', { filter, limit: 1, nextToken }, read);
        titles.push(...page.items.map(({ title }) => title));
        nextToken = page.nextToken;
      } while (nextToken);
      assert.deepEqual(titles, ['Theirs', 'Mine']);
    });

    test('a refusal is shown with its type and words', async () => {
      const theirs = await other.create({ title: 'Theirs' });
      const mine = await one('createPost', { input: { title: 'Mine' } });
      const denied = await problem(own('deletePost', { input: { id: theirs.id } }));
      assert.equal(denied.errorType, 'Unauthorized');
      assert.equal(denied.message, 'Not Authorized to access deletePost on type Mutation');
      const anonymous = await problem(read('createPost', { input: { title: 'No' } }));
      assert.equal(anonymous.errorType, 'Unauthorized');
      const condition = { title: { eq: 'Otherwise' } };
      const failed = await problem(own('updatePost', { input: { id: mine.id, title: 'No' }, condition }));
      assert.equal(failed.errorType, 'DynamoDB:ConditionalCheckFailedException');
      const wrong = await problem(API.graphql({ query: '{ nothingOfThat }', authMode: 'API_KEY' }));
      assert.match(wrong.message, /^Validation error of type /);
    });

    test('a front end that asks by the API key names no mode', async () => {
      const mine = await one('createPost', { input: { title: 'For those who ask by the key' } });
      const keyed = await site('keyed');
      Amplify.configure(keyed.exports);
      try {
        const filter = { id: { eq: mine.id } };
        assert.deepEqual((await one('listPosts', { filter })).items, [mine]);
        const denied = await problem(own('createPost', { input: { title: 'No' } }));
        assert.equal(denied.message, 'Not Authorized to access createPost on type Mutation');
      } finally {
        Amplify.configure(byline.exports);
      }
    });

    test('a wrong key is answered with status 401', async () => {
      Amplify.configure({ ...byline.exports, aws_appsync_apiKey: 'da2-nosuchkey' });
      try {
        assert.match((await problem(read('listPosts'))).message, /401/);
      } finally {
        Amplify.configure(byline.exports);
      }
    });

    for (const [credential, by] of [['the API key', read], ['a token', own]]) {
      test(`a subscription by ${credential} hears of a post made, edited and deleted`, async (t) => {
        const created = await hear(t, 'onCreatePost', {}, by);
        const updated = await hear(t, 'onUpdatePost', {}, by);
        const deleted = await hear(t, 'onDeletePost', {}, by);
        const post = await one('createPost', { input: { title: `Heard by ${credential}` } });
        assert.deepEqual(await created(post.id), post);
        const edited = await one('updatePost', { input: { id: post.id, content: 'More.' } });
        assert.deepEqual(await updated(post.id), edited);
        await one('deletePost', { input: { id: post.id } });
        assertDeleted(await deleted(post.id), edited);
      });
    }

    test("a subscription by a token does not hear of another's post", async (t) => {
      const heard = await hear(t, 'onCreatePost', {}, own);
      await other.create({ title: 'Not for everybody' });
      const mine = await one('createPost', { input: { title: 'After it' } });
      assert.equal((await heard()).id, mine.id);
    });

    // These versions know who has signed in by what was typed, and front ends
    // name the owner of a post by it.
    for (const [typed, identifier] of [
      ['their name in capitals', ({ username }) => username.toUpperCase()],
      ['their address', ({ email }) => email],
    ]) {
      test(`whoever signs in by ${typed} owns what they make, and hears of it`, async (t) => {
        await Auth.signOut();
        await Auth.signIn(identifier(me), me.password);
        const { username: owner } = await Auth.currentAuthenticatedUser();
        assert.equal(owner, identifier(me), 'the client keeps what was typed');
        const heard = await hear(t, 'onCreatePost', { owner }, own);
        const created = await one('createPost', { input: { title: `By ${typed}`, owner } });
        assert.equal(created.owner, me.username);
        assert.deepEqual(await heard(), created);
        await Auth.signOut();
        await Auth.signIn(me.username, me.password);
      });
    }

    test("another's name is not one's own, whoever signs in", async (t) => {
      const owner = other.username.toUpperCase();
      const refused = await problem(own('createPost', { input: { title: 'Forged', owner } }));
      assert.equal(refused.errorType, 'Unauthorized');
      const silence = await refusal(hear(t, 'onCreatePost', { owner }, own));
      assert.match(silence.error.errors[0].message, /Not Authorized to access onCreatePost on type Subscription/);
    });

    test('a wrong password is refused like an unknown name', async () => {
      await Auth.signOut();
      for (const stranger of [{ ...me, password: 'a wrong one' }, someone()]) {
        const error = await refusal(Auth.signIn(stranger.username, stranger.password));
        assert.equal(error.code, 'NotAuthorizedException');
        assert.equal(error.message, 'Incorrect username or password.');
      }
      const { username, password, email } = me;
      const again = await refusal(Auth.signUp({ username, password, attributes: { email } }));
      assert.equal(again.code, 'UsernameExistsException');
      await Auth.signIn(me.username, me.password);
    });

    test('a changed password is the only one from then on', async () => {
      const password = `${me.password} and more`;
      await Auth.changePassword(await Auth.currentAuthenticatedUser(), me.password, password);
      await Auth.signOut();
      assert.equal((await refusal(Auth.signIn(me.username, me.password))).code, 'NotAuthorizedException');
      me.password = password;
      await Auth.signIn(me.username, me.password);
    });

    test('nothing works with a token after signing out everywhere', async () => {
      const authorization = (await Auth.currentSession()).getAccessToken().getJwtToken();
      await Auth.signOut({ global: true });
      const answer = await send(byline, { query: statements.listPosts }, { authorization });
      assert.equal(answer.status, 401);
      await Auth.signIn(me.username, me.password);
    });
  });
}
