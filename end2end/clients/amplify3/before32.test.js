// aws-amplify before 3.2 hands no endpoint to the library that speaks to Cognito.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';
import { site, someone } from '../support/site.js';

const own = globalThis.fetch;
const { exports } = await site('plain');

test('a client that knows no endpoint signs up and in here', async () => {
  assert.equal(globalThis.fetch, own, 'a file that is read changes nothing');
  // As Amplify.configure has it, which may run several times.
  const settings = Object.assign({}, exports);
  Object.assign({}, exports);
  const pool = new CognitoUserPool({
    UserPoolId: settings.aws_user_pools_id,
    ClientId: settings.aws_user_pools_web_client_id,
  });
  const { username, email, password } = someone();
  const attributes = [new CognitoUserAttribute({ Name: 'email', Value: email })];
  const { userConfirmed } = await promisify(pool.signUp.bind(pool))(username, password, attributes, []);
  assert(userConfirmed);
  const signIn = (password) =>
    new Promise((onSuccess, onFailure) => {
      const user = new CognitoUser({ Username: username, Pool: pool });
      user.setAuthenticationFlowType(settings.Auth.authenticationFlowType);
      const details = new AuthenticationDetails({ Username: username, Password: password });
      user.authenticateUser(details, { onSuccess, onFailure });
    });
  assert((await signIn(password)).isValid());
  await assert.rejects(signIn('some other words'), { code: 'NotAuthorizedException' });
  await assert.rejects(fetch('http://127.0.0.1:1/'), TypeError, 'other addresses are called as they are');
});
