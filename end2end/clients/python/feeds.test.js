import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Server } from '../../support/server.js';

const PYTHON = process.env.CLIENTS_PYTHON;
const options = { skip: !PYTHON, timeout: 120_000 };

/** A site of its own, because on others posts are made meanwhile. */
let byline;

before(async () => {
  if (PYTHON) byline = await Server.start();
});

after(() => byline?.stop());

async function call(name, input, headers = {}) {
  const answer = await fetch(`${byline.url}/api/${name}`, {
    method: 'POST',
    headers: { accept: 'application/json', origin: byline.url, ...headers },
    body: new URLSearchParams(input),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

test('feedparser reads a feed, and is told when nothing has changed', options, async () => {
  const ada = { username: 'ada', email: 'ada@example.org', password: 'the quiet words of ada' };
  await call('sign_up', ada);
  const grant = { grant_type: 'password', username: ada.username, password: ada.password };
  const { access_token } = await call('token', grant);
  const title = '</title><script>alert(1)</script> \u202Eשלום 👩‍🚀';
  const content = 'A [link](/posts/x) and a\u0001 *word*';
  const { id, slug } = await call('create_post', { title, content }, { authorization: `Bearer ${access_token}` });

  const { stdout } = await promisify(execFile)(PYTHON, [join(import.meta.dirname, 'feeds.py')], {
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      BYLINE_FEEDS: `${byline.url}/feed.atom ${byline.url}/@ada/feed.atom`,
    },
    timeout: 60_000,
  });
  const [all, own] = JSON.parse(stdout);
  for (const feed of [all, own]) {
    assert.equal(feed.malformed, false);
    assert.equal(feed.version, 'atom10');
    assert.match(feed.id, /^urn:uuid:/);
    assert.equal(feed.again, 304);
    const [entry] = feed.entries;
    assert.equal(feed.entries.length, 1);
    assert.equal(entry.id, `urn:uuid:${id}`);
    assert.equal(entry.link, `${byline.url}/@ada/${slug}`);
    assert.equal(entry.author, 'ada');
    assert(entry.content.includes(`href="${byline.url}/posts/x"`), entry.content);
    assert(entry.content.includes('a <em>word</em>'), entry.content);
    // feedparser takes a title for HTML where it looks like it.
    assert(entry.title.endsWith('\u202Eשלום 👩‍🚀'), entry.title);
  }
  assert.equal(all.title, 'Byline');
  assert.equal(own.title, 'ada – Byline');
});
