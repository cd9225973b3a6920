import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import { author, site } from '../support/site.js';

const byline = await site('keyed');
const outputs = JSON.parse(await readFile(join(byline.folder, 'amplify_outputs.json'), 'utf8'));

/** As AWS's own tutorials for pages that everybody reads have it. */
for (const [name, settings] of Object.entries({ 'aws-exports.js': byline.exports, 'amplify_outputs.json': outputs })) {
  test(`a front end that asks by the API key names no mode, by ${name}`, async () => {
    const { id } = await (await author(byline)).create({ title: 'For everybody' });
    Amplify.configure(settings);
    const filter = { id: { eq: id } };
    const { data } = await generateClient().graphql({ query: byline.statements.listPosts, variables: { filter } });
    assert.deepEqual(data.listPosts.items.map(({ title }) => title), ['For everybody']);
  });
}
