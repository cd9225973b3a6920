import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';
import { codeTo } from '../support/mails.js';
import { refusal, send, site, someone } from '../support/site.js';

/** What a call hands to its callback in Node's manner. */
const called = (call) =>
  new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
/** The same of a call with a callback for each outcome. */
const outcome = (call) => new Promise((onSuccess, onFailure) => call({ onSuccess, onFailure }));

/** People of a site, who know of it by the generated file. */
function peopleOf(byline) {
  const { exports } = byline;
  const pool = new CognitoUserPool({
    UserPoolId: exports.aws_user_pools_id,
    ClientId: exports.aws_user_pools_web_client_id,
    endpoint: exports.Auth.endpoint,
  });
  const named = (Username) => new CognitoUser({ Username, Pool: pool });
  return {
    pool,
    named,
    signUp: ({ username, password, email }) =>
      called((callback) => {
        const attributes = [new CognitoUserAttribute({ Name: 'email', Value: email })];
        pool.signUp(username, password, attributes, [], callback);
      }),
    /** By the client's default, SRP. */
    async signIn(name, Password) {
      const user = named(name);
      await outcome((callbacks) =>
        user.authenticateUser(new AuthenticationDetails({ Username: name, Password }), callbacks),
      );
      return user;
    },
  };
}

/** The session of somebody, as the client keeps it. */
const session = (user) => called((callback) => user.getSession(callback));

/** Whose the access token is, as the site has it; its status where it is nobody's. */
async function owner(byline, user) {
  const authorization = user.getSignInUserSession().getAccessToken().getJwtToken();
  const { status, body } = await send(byline, { query: '{ me { username } }' }, { authorization });
  return body.data?.me.username ?? status;
}

async function refused(attempt) {
  const { code, message } = await refusal(attempt);
  assert.deepEqual([code, message], ['NotAuthorizedException', 'Incorrect username or password.']);
}

describe('amazon-cognito-identity-js', async () => {
  const byline = await site('plain');
  const people = peopleOf(byline);
  const { signUp, signIn } = people;

  test('signs people up, and in by name and by address', async () => {
    const me = someone();
    const { user, userConfirmed } = await signUp(me);
    assert.deepEqual([user.getUsername(), userConfirmed], [me.username, true]);
    assert.equal((await refusal(signUp(me))).code, 'UsernameExistsException');
    for (const name of [me.username, me.email]) {
      const user = await signIn(name, me.password);
      assert.equal(await owner(byline, user), me.username);
      const attributes = await called((callback) => user.getUserAttributes(callback));
      assert.equal(attributes.find(({ Name }) => Name === 'email').Value, me.email);
      await refused(signIn(name, 'a wrong one'));
    }
  });

  test('finds who has signed in, and renews the session', async () => {
    const me = someone();
    await signUp(me);
    const first = await session(await signIn(me.username, me.password));
    const user = people.pool.getCurrentUser();
    const token = async () => (await session(user)).getAccessToken().getJwtToken();
    assert.equal(await token(), first.getAccessToken().getJwtToken());
    const renewed = await called((callback) => user.refreshSession(first.getRefreshToken(), callback));
    assert.notEqual(renewed.getAccessToken().getJwtToken(), first.getAccessToken().getJwtToken());
    assert.equal(await token(), renewed.getAccessToken().getJwtToken());
    assert.equal(await owner(byline, user), me.username);
  });

  test('changes a password, which is the only one from then on', async () => {
    const me = someone();
    await signUp(me);
    const user = await signIn(me.username, me.password);
    const password = `${me.password} and more`;
    const change = (previous) => called((callback) => user.changePassword(previous, password, callback));
    await refused(change('a wrong one'));
    assert.equal(await change(me.password), 'SUCCESS');
    assert.equal(await owner(byline, user), me.username);
    await refused(signIn(me.username, me.password));
    assert.equal(await owner(byline, await signIn(me.username, password)), me.username);
  });

  test('signs out everywhere', async () => {
    const me = someone();
    await signUp(me);
    const [here, there] = [await signIn(me.username, me.password), await signIn(me.email, me.password)];
    assert.equal(await outcome((callbacks) => here.globalSignOut(callbacks)), 'SUCCESS');
    assert.deepEqual([await owner(byline, here), await owner(byline, there)], [401, 401]);
  });
});

describe('amazon-cognito-identity-js, where mail is sent,', async () => {
  const byline = await site('mailed');
  const { named, signUp, signIn } = peopleOf(byline);

  test('signs people up, and gives them another password, by codes of mails', async () => {
    const me = someone();
    const { user, userConfirmed, codeDeliveryDetails } = await signUp(me);
    assert.deepEqual([userConfirmed, codeDeliveryDetails.DeliveryMedium], [false, 'EMAIL']);
    assert.equal((await refusal(signIn(me.username, me.password))).code, 'UserNotConfirmedException');
    await refused(signIn(me.username, 'a wrong one'));
    const code = await codeTo(me.email);
    assert.equal(await called((callback) => user.confirmRegistration(code, true, callback)), 'SUCCESS');
    assert.equal(await owner(byline, await signIn(me.username, me.password)), me.username);

    const forgetful = named(me.email);
    const sent = await outcome((callbacks) => forgetful.forgotPassword(callbacks));
    assert.equal(sent.CodeDeliveryDetails.DeliveryMedium, 'EMAIL');
    const password = `${me.password} and more`;
    const proof = await codeTo(me.email, 2);
    const set = (code) => outcome((callbacks) => forgetful.confirmPassword(code, password, callbacks));
    assert.equal((await refusal(set(proof === '000000' ? '000001' : '000000'))).code, 'CodeMismatchException');
    assert.equal(await set(proof), 'SUCCESS');
    await refused(signIn(me.username, me.password));
    assert.equal(await owner(byline, await signIn(me.username, password)), me.username);
  });
});
