import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import * as auth from 'aws-amplify/auth';
import { author, site } from '../support/site.js';

const byline = await site('secure');

test('aws-amplify 6 works by the outputs of the second generation as well', async () => {
  Amplify.configure(JSON.parse(await readFile(join(byline.folder, 'amplify_outputs.json'), 'utf8')));
  const me = await author(byline);
  const mine = await me.create({ title: 'Mine' });
  const options = { authFlowType: 'USER_PASSWORD_AUTH' };
  await auth.signIn({ username: me.username, password: me.password, options });
  const client = generateClient();
  const query = byline.statements.getPost;
  const variables = { id: mine.id };
  for (const mode of [{}, { authMode: 'apiKey' }]) {
    const { data } = await client.graphql({ query, variables, ...mode });
    assert.deepEqual(data.getPost, mine);
  }
  await auth.signOut();
});
