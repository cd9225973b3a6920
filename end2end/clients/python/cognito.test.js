import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { send, site, someone } from '../support/site.js';

const byline = await site('plain');

const PYTHON = process.env.CLIENTS_PYTHON;

test('pycognito signs up, proves the password by SRP and renews tokens', { skip: !PYTHON }, async () => {
  const me = someone();
  const { exports } = byline;
  const { stdout } = await promisify(execFile)(PYTHON, [join(import.meta.dirname, 'cognito.py')], {
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      BYLINE_ENDPOINT: exports.Auth.endpoint,
      BYLINE_POOL: exports.aws_user_pools_id,
      BYLINE_CLIENT: exports.aws_user_pools_web_client_id,
      BYLINE_USERNAME: me.username,
      BYLINE_EMAIL: me.email,
      BYLINE_PASSWORD: me.password,
    },
    timeout: 120_000,
  });
  const { confirmed, refused, tokens, email } = JSON.parse(stdout);
  assert.deepEqual([confirmed, email], [true, me.email]);
  const wrong = ['NotAuthorizedException', 'Incorrect username or password.'];
  assert.deepEqual(refused, [wrong, wrong, wrong]);
  assert.equal(new Set(tokens).size, 4);
  for (const authorization of tokens) {
    const { body } = await send(byline, { query: '{ me { username } }' }, { authorization });
    assert.equal(body.data.me.username, me.username);
  }
});
