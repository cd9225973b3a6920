import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import * as auth from 'aws-amplify/auth';
import { Hub } from 'aws-amplify/utils';
import WebSocket from 'ws';
import { listen } from '../support/listen.js';
import { assertDeleted, author, refusal, send, site, someone } from '../support/site.js';

globalThis.WebSocket ??= WebSocket;

const byline = await site('secure');
const { statements } = byline;

Amplify.configure(byline.exports);
const client = generateClient();

const USER_POOL = { authMode: 'userPool' };
const API_KEY = { authMode: 'apiKey' };

const call = (name, variables, mode) =>
  client.graphql({ query: statements[name], variables, ...mode });
const one = async (name, variables, mode) => (await call(name, variables, mode)).data[name];
const listen6 = (test, name, variables, mode) =>
  listen(test, Hub, () => call(name, variables, mode), ({ data }) => data[name]);

const PASSWORD_FLOW = { authFlowType: 'USER_PASSWORD_AUTH' };

/** By the client's default, SRP. */
const signIn = ({ username, password }) => auth.signIn({ username, password });
const signUp = ({ username, email, password }, options = {}) =>
  auth.signUp({ username, password, options: { userAttributes: { email }, ...options } });

/** The error that the client shows for a refused operation. */
const problem = async (operation) => (await refusal(operation)).errors?.[0];

describe('aws-amplify 6', () => {
  const me = someone();
  let other;

  before(async () => {
    other = await author(byline);
    const { isSignUpComplete, nextStep } = await signUp(me);
    assert(isSignUpComplete, 'nobody has to confirm anything');
    assert.equal(nextStep.signUpStep, 'DONE');
    const answer = await signIn(me);
    assert(answer.isSignedIn, JSON.stringify(answer.nextStep));
  });

  after(() => auth.signOut());

  describe('whoever signs in', () => {
    test('is known by name', async () => {
      const { username, userId } = await auth.getCurrentUser();
      assert.equal(username, me.username);
      assert(userId);
      const { email } = await auth.fetchUserAttributes();
      assert.equal(email, me.email);
    });

    test('gets new tokens by force and works with them', async () => {
      const old = await auth.fetchAuthSession();
      const young = await auth.fetchAuthSession({ forceRefresh: true });
      assert.notEqual(young.tokens.accessToken.toString(), old.tokens.accessToken.toString());
      assert.equal(young.tokens.accessToken.payload.username, me.username);
      assert(await one('listPosts', {}, USER_POOL));
    });

    test('refreshes as often as they like', async () => {
      const seen = new Set();
      for (let at = 0; at < 3; at += 1) {
        const { tokens } = await auth.fetchAuthSession({ forceRefresh: true });
        seen.add(tokens.accessToken.toString());
      }
      assert.equal(seen.size, 3);
    });
  });

  describe('an author', () => {
    test('creates, reads, edits and deletes a post', async () => {
      const created = await one('createPost', { input: { title: 'One', content: 'First.' } }, USER_POOL);
      assert.equal(created.owner, me.username);
      assert.equal(created.__typename, 'Post');
      assert.match(created.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

      const { id } = created;
      assert.deepEqual(await one('getPost', { id }, USER_POOL), created);
      const updated = await one('updatePost', { input: { id, title: 'Two' } }, USER_POOL);
      assert.equal(updated.title, 'Two');
      assert.equal(updated.content, 'First.');
      assertDeleted(await one('deletePost', { input: { id } }, USER_POOL), updated);
      assert.equal(await one('getPost', { id }, API_KEY), null);
    });

    test('pages through a filtered list of their own', async () => {
      for (const title of ['Lamp 1', 'Chair', 'Lamp 2', 'Lamp 3', 'Table']) {
        await one('createPost', { input: { title } }, USER_POOL);
      }
      await other.create({ title: 'Lamp of another' });
      const titles = [];
      let nextToken = null;
      do {
        const filter = { title: { beginsWith: 'Lamp' } };
        const page = await one('listPosts', { filter, limit: 2, nextToken }, USER_POOL);
        assert(page.items.length <= 2);
        titles.push(...page.items.map((post) => post.title));
        nextToken = page.nextToken;
      } while (nextToken);
      assert.deepEqual(titles, ['Lamp 3', 'Lamp 2', 'Lamp 1']);
    });

    test('finds by every kind of condition', async () => {
      const post = await one('createPost', { input: { title: 'Conditions', content: 'a b c' } }, USER_POOL);
      const found = async (filter) => {
        const both = { and: [{ id: { eq: post.id } }, filter] };
        return (await one('listPosts', { filter: both }, USER_POOL)).items.length === 1;
      };
      assert(await found({ content: { contains: 'b' } }));
      assert(!(await found({ content: { notContains: 'b' } })));
      assert(await found({ title: { between: ['Con', 'Cop'] } }));
      assert(await found({ or: [{ title: { eq: 'no' } }, { title: { ne: 'no' } }] }));
      assert(!(await found({ not: { title: { attributeExists: true } } })));
      assert(await found({ content: { size: { eq: 5 } } }));
      assert(await found({ createdAt: { le: post.createdAt } }));
      assert(await found({ owner: { eq: me.username } }));
    });
  });

  describe('a reader with the API key', () => {
    test("sees everyone's posts", async () => {
      const mine = await one('createPost', { input: { title: 'Mine' } }, USER_POOL);
      const theirs = await other.create({ title: 'Theirs' });
      const { items } = await one('listPosts', { limit: 100 }, API_KEY);
      const ids = items.map(({ id }) => id);
      assert(ids.includes(mine.id) && ids.includes(theirs.id));
      assert.equal((await one('getPost', { id: theirs.id }, API_KEY)).owner, other.username);
    });

    test('may write nothing', async () => {
      const mine = await one('createPost', { input: { title: 'Mine' } }, USER_POOL);
      const wishes = [
        ['createPost', { input: { title: 'No' } }],
        ['updatePost', { input: { id: mine.id, title: 'No' } }],
        ['deletePost', { input: { id: mine.id } }],
      ];
      for (const [name, variables] of wishes) {
        const error = await problem(call(name, variables, API_KEY));
        assert.equal(error.errorType, 'Unauthorized');
        assert.equal(error.message, `Not Authorized to access ${name} on type Mutation`);
      }
      assert.deepEqual(await one('getPost', { id: mine.id }, API_KEY), mine);
    });
  });

  describe('a refusal', () => {
    test("comes with data and errors for another's post", async () => {
      const theirs = await other.create({ title: 'Theirs' });
      const answer = await refusal(call('updatePost', { input: { id: theirs.id, title: 'No' } }, USER_POOL));
      assert.deepEqual(answer.data, { updatePost: null });
      const [error] = answer.errors;
      assert.equal(error.errorType, 'Unauthorized');
      assert.equal(error.errorInfo, null);
      assert.deepEqual(error.path, ['updatePost']);
      assert.equal(error.locations[0].sourceName, null);

      const unread = await problem(call('getPost', { id: theirs.id }, USER_POOL));
      assert.equal(unread.message, 'Not Authorized to access getPost on type Query');
      const missing = await problem(call('deletePost', { input: { id: 'no-such-post' } }, USER_POOL));
      assert.equal(missing.errorType, 'Unauthorized');
      const forged = await problem(call('createPost', { input: { title: 'No', owner: other.username } }, USER_POOL));
      assert.equal(forged.errorType, 'Unauthorized');
    });

    test('says that a condition was not met', async () => {
      const post = await one('createPost', { input: { title: 'As it was' } }, USER_POOL);
      const variables = { input: { id: post.id, title: 'No' }, condition: { title: { eq: 'Otherwise' } } };
      const error = await problem(call('updatePost', variables, USER_POOL));
      assert.equal(error.errorType, 'DynamoDB:ConditionalCheckFailedException');
      assert.match(error.message, /^The conditional request failed/);
      const taken = await problem(call('createPost', { input: { id: post.id, title: 'Again' } }, USER_POOL));
      assert.equal(taken.errorType, 'DynamoDB:ConditionalCheckFailedException');
      assert.deepEqual(await one('getPost', { id: post.id }, USER_POOL), post);
    });

    test('of a key, of a token and of neither is known by the name in the header', async () => {
      const cases = [
        [{ authMode: 'apiKey', apiKey: 'da2-nosuchkey' }, 'You are not authorized to make this call.'],
        [{ authMode: 'lambda', authToken: 'no-token' }, 'Unable to parse JWT token.'],
        [{ authMode: 'none' }, 'Valid authorization header not provided.'],
      ];
      for (const [mode, message] of cases) {
        const error = await problem(call('listPosts', {}, mode));
        assert.equal(error.originalError.name, 'UnauthorizedException', message);
        // The client drops the words; whoever looks at the answer finds them.
        const headers = { 'x-api-key': mode.apiKey, authorization: mode.authToken };
        const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
        const { status, body } = await send(byline, { query: statements.listPosts }, sent);
        assert.equal(status, 401);
        assert.deepEqual(body.errors, [{ errorType: 'UnauthorizedException', message }]);
      }
    });

    test('names what is wrong with a document', async () => {
      const answer = await refusal(client.graphql({ query: 'query { nothingOfThat }', ...API_KEY }));
      assert.match(answer.errors[0].message, /^Validation error of type /);
      assert.equal(answer.errors[0].path, null);
    });
  });

  describe('a subscription', () => {
    for (const [credential, mode] of [['the API key', API_KEY], ['a token', USER_POOL]]) {
      test(`by ${credential} hears of a post made, edited and deleted`, async (t) => {
        const created = await listen6(t, 'onCreatePost', {}, mode);
        const updated = await listen6(t, 'onUpdatePost', {}, mode);
        const deleted = await listen6(t, 'onDeletePost', {}, mode);

        const post = await one('createPost', { input: { title: `Heard by ${credential}` } }, USER_POOL);
        assert.deepEqual(await created(post.id), post);
        const edited = await one('updatePost', { input: { id: post.id, content: 'More.' } }, USER_POOL);
        assert.deepEqual(await updated(post.id), edited);
        await one('deletePost', { input: { id: post.id } }, USER_POOL);
        assertDeleted(await deleted(post.id), edited);
      });
    }

    test("by the API key hears of another's post, by a token it does not", async (t) => {
      const everyone = await listen6(t, 'onCreatePost', {}, API_KEY);
      const own = await listen6(t, 'onCreatePost', {}, USER_POOL);
      const theirs = await other.create({ title: 'Not for everybody' });
      assert.equal((await everyone(theirs.id)).title, 'Not for everybody');
      const mine = await one('createPost', { input: { title: 'After it' } }, USER_POOL);
      assert.equal((await own()).id, mine.id, 'their post would have come first');
    });

    test('hears only what its filter lets through', async (t) => {
      const filter = { title: { beginsWith: 'Wanted' } };
      const wanted = await listen6(t, 'onCreatePost', { filter }, API_KEY);
      await other.create({ title: 'Unwanted' });
      await other.create({ title: 'Wanted at last' });
      assert.equal((await wanted()).title, 'Wanted at last');
    });

    test("for another's posts is refused to a token", async (t) => {
      const answer = await refusal(listen6(t, 'onCreatePost', { owner: other.username }, USER_POOL));
      assert.match(JSON.stringify(answer), /Not Authorized to access onCreatePost on type Subscription/);
    });

    test('with a wrong key is refused, not tried for ever', async (t) => {
      const answer = await refusal(listen6(t, 'onCreatePost', {}, { ...API_KEY, apiKey: 'da2-nosuchkey' }));
      assert(answer.errors?.length, JSON.stringify(answer));
    });
  });

  describe('an account', () => {
    /** The same for everybody who does not know the password. */
    test('is refused by the names that Cognito has for it', async () => {
      assert.equal((await refusal(signUp(me))).name, 'UsernameExistsException');
      assert.equal((await refusal(signUp({ ...someone(), password: 'short' }))).name, 'InvalidPasswordException');
      await auth.signOut();
      for (const stranger of [{ ...me, password: 'a wrong one' }, someone()]) {
        const error = await refusal(signIn(stranger));
        assert.equal(error.name, 'NotAuthorizedException');
        assert.equal(error.message, 'Incorrect username or password.');
      }
      await signIn(me);
    });

    test('has nothing to confirm, so whatever code will do', async () => {
      const { username } = me;
      await auth.resendSignUpCode({ username });
      const { isSignUpComplete } = await auth.confirmSignUp({ username, confirmationCode: '123456' });
      assert(isSignUpComplete);
    });

    test('that is made with a sign-in after it is signed in without a second form', async () => {
      await auth.signOut();
      const newcomer = someone();
      const { isSignUpComplete, nextStep } = await signUp(newcomer, { autoSignIn: PASSWORD_FLOW });
      assert.deepEqual([isSignUpComplete, nextStep.signUpStep], [true, 'COMPLETE_AUTO_SIGN_IN']);
      assert((await auth.autoSignIn()).isSignedIn);
      assert.equal((await auth.getCurrentUser()).username, newcomer.username);
      const { owner } = await one('createPost', { input: { title: 'At once' } }, USER_POOL);
      assert.equal(owner, newcomer.username);
      await auth.signOut();
      await signIn(me);
    });

    test('has the new password after a change, and no longer the old', async () => {
      const newPassword = `${me.password} and more`;
      await auth.updatePassword({ oldPassword: me.password, newPassword });
      assert(await one('listPosts', {}, USER_POOL), 'whoever changes it stays signed in');
      await auth.signOut();
      assert.equal((await refusal(signIn(me))).name, 'NotAuthorizedException');
      me.password = newPassword;
      assert((await signIn(me)).isSignedIn);
    });

    for (const global of [false, true]) {
      test(`that signs out${global ? ' everywhere' : ''} leaves no token that works`, async () => {
        const { tokens } = await auth.fetchAuthSession();
        const authorization = tokens.accessToken.toString();
        const read = { query: statements.listPosts };
        assert.equal((await send(byline, read, { authorization })).status, 200);
        await auth.signOut({ global });
        assert.equal((await send(byline, read, { authorization })).status, 401);
        assert.equal((await auth.fetchAuthSession()).tokens, undefined);
        await signIn(me);
      });
    }
  });
});
