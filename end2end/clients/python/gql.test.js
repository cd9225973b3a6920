import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { author, site } from '../support/site.js';

const byline = await site('plain');

const PYTHON = process.env.CLIENTS_PYTHON;

test('gql for Python asks, and listens by the protocol that it speaks', { skip: !PYTHON }, async () => {
  const { token } = await author(byline);
  const { stdout } = await promisify(execFile)(PYTHON, [join(import.meta.dirname, 'client.py')], {
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      // Not as arguments, which everybody on the machine may read.
      BYLINE_ENDPOINT: byline.endpoint,
      BYLINE_KEY: byline.apiKey,
      BYLINE_TOKEN: token,
    },
    timeout: 120_000,
  });
  const { http, socket } = JSON.parse(stdout);
  assert.deepEqual(http, { __typename: 'Query' });
  assert.deepEqual(socket.asked, { __typename: 'Query' });
  assert.equal(socket.made.title, 'By gql');
  assert.deepEqual(socket.told, socket.made);
});
