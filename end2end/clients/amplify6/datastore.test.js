import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Inbox, author, send, site, soon } from '../support/site.js';

// Of one kind, since Node loads this package as CommonJS alone, and with it a
// second copy of what `import` gives.
const require = createRequire(import.meta.url);
const { Amplify } = require('aws-amplify');
const auth = require('aws-amplify/auth');
const { DISCARD, DataStore, initSchema } = require('aws-amplify/datastore');
const { Hub } = require('aws-amplify/utils');
// What it chooses by itself outside of a browser, but for its asking `window`.
const { default: storageAdapter } = require('@aws-amplify/datastore/dist/cjs/storage/adapter/AsyncStorageAdapter.js');

globalThis.WebSocket ??= require('ws');

// The next synchronization of everything is a day away, and `stop` forgets to
// clear its timer, which would keep Node from ending.
const { setTimeout } = globalThis;
globalThis.setTimeout = (wake, delay, ...rest) => {
  const timer = setTimeout(wake, delay, ...rest);
  return delay > 3_600_000 ? timer.unref() : timer;
};

const byline = await site('versioned');
Amplify.configure(byline.exports);

/** As the models of Amplify's CLI are made: from the schema, and a hash of it. */
async function models() {
  const outputs = await readFile(join(byline.folder, 'amplify_outputs.json'), 'utf8');
  const { model_introspection: schema } = JSON.parse(outputs).data;
  const version = createHash('md5').update(JSON.stringify(schema)).digest('hex');
  return initSchema({ ...schema, version, codegenVersion: '3.4.4' });
}

const { Post } = await models();

/** What DataStore says next by that name, and of which `holds`. */
function next(name, holds = () => true) {
  const said = new Promise((resolve) => {
    const stop = Hub.listen('datastore', ({ payload: { event, data } }) => {
      if (event !== name || !holds(data)) return;
      stop();
      resolve(data);
    });
  });
  return soon(said, `event ${name}`);
}

/** Does something here, and waits until the site has been told. */
async function told(deed) {
  const [result] = await Promise.all([deed(), next('outboxStatus', ({ isEmpty }) => isEmpty)]);
  return result;
}

/** Does something elsewhere, waits until that is known here, and returns the post. */
async function heard(change, deed) {
  const inbox = new Inbox();
  const subscription = DataStore.observe(Post).subscribe(inbox.put);
  try {
    const post = await deed();
    for (;;) {
      const { opType, element } = await inbox.take(`word of ${post.id}`);
      if (element.id !== post.id || element._version !== post._version) continue;
      assert.equal(opType, change);
      return post;
    }
  } finally {
    subscription.unsubscribe();
  }
}

/** Starts, and says what the first synchronization was. */
async function start() {
  const [synced] = await Promise.all([next('modelSynced'), next('ready'), DataStore.start()]);
  return synced;
}

const titles = async () => (await DataStore.query(Post)).map(({ title }) => title).sort();

describe('DataStore of aws-amplify 6', () => {
  const conflicts = new Inbox();
  const problems = [];
  let me;

  /** A post as the site has it. */
  const stored = async (id) => {
    const read = { query: byline.statements.getPost, variables: { id } };
    const { body } = await send(byline, read, { authorization: me.token });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data.getPost;
  };

  before(async () => {
    me = await author(byline);
    const options = { authFlowType: 'USER_PASSWORD_AUTH' };
    await auth.signIn({ username: me.username, password: me.password, options });
    DataStore.configure({
      storageAdapter,
      errorHandler: (error) => problems.push(error),
      conflictHandler(conflict) {
        conflicts.put(conflict);
        return DISCARD;
      },
    });
  });

  after(async () => {
    await DataStore.stop();
    await auth.signOut();
    assert.deepEqual(problems, []);
  });

  test('begins with all that is there', async () => {
    for (const title of ['One', 'Two', 'Three']) await me.create({ title });
    const { isFullSync, counts } = await start();
    assert.deepEqual({ isFullSync, counts }, { isFullSync: true, counts: { new: 3, updated: 0, deleted: 0 } });
    assert.deepEqual(await titles(), ['One', 'Three', 'Two']);
  });

  test('tells the site what is made, edited and deleted here', async () => {
    const made = await told(() => DataStore.save(new Post({ title: 'Here', content: 'First.' })));
    const { title, content, owner, _version } = await stored(made.id);
    assert.deepEqual({ title, content, owner, _version }, {
      title: 'Here',
      content: 'First.',
      owner: me.username,
      _version: 1,
    });
    const kept = await DataStore.query(Post, made.id);
    const edited = Post.copyOf(kept, (draft) => {
      draft.title = 'Still here';
    });
    await told(() => DataStore.save(edited));
    assert.equal((await stored(made.id)).title, 'Still here');
    assert.equal((await stored(made.id))._version, 2);
    await told(async () => DataStore.delete(await DataStore.query(Post, made.id)));
    const gone = await stored(made.id);
    assert(gone === null || gone._deleted, JSON.stringify(gone));
    assert.equal(await DataStore.query(Post, made.id), undefined);
  });

  test('hears of what is made, edited and deleted elsewhere', async () => {
    const { id, _version } = await heard('INSERT', () => me.create({ title: 'There' }));
    assert.equal((await DataStore.query(Post, id)).title, 'There');
    const edited = await heard('UPDATE', () => me.update({ id, title: 'Still there', _version }));
    assert.equal((await DataStore.query(Post, id)).title, 'Still there');
    await heard('DELETE', () => me.delete(edited));
    assert.equal(await DataStore.query(Post, id), undefined);
  });

  test('asks the front end what becomes of an edit that was overtaken', async () => {
    const { id, _version } = await heard('INSERT', () => me.create({ title: 'Both' }));
    const old = await DataStore.query(Post, id);
    const edited = await heard('UPDATE', () => me.update({ id, title: 'From there', _version }));
    const late = Post.copyOf(old, (draft) => {
      draft.title = 'From here';
    });
    await told(() => DataStore.save(late));
    const { operation, localModel, remoteModel } = await conflicts.take('conflict');
    assert.equal(operation, 'UPDATE');
    assert.equal(localModel.title, 'From here');
    assert.equal(remoteModel.title, 'From there');
    assert.equal(remoteModel._version, edited._version);
    assert(conflicts.isEmpty, 'it is asked once');
    assert.deepEqual(await stored(id), edited, 'discarded, it changed nothing');
  });

  test('gets after a pause what has changed meanwhile', async () => {
    const changed = await heard('INSERT', () => me.create({ title: 'Changes' }));
    const deleted = await heard('INSERT', () => me.create({ title: 'Goes' }));
    await DataStore.stop();
    await me.update({ id: changed.id, title: 'Changed', _version: changed._version });
    await me.delete(deleted);
    const made = await me.create({ title: 'Came' });
    const { isDeltaSync, counts } = await start();
    assert(isDeltaSync, 'not everything');
    assert.deepEqual([counts.new, counts.deleted], [1, 1]);
    assert.equal((await DataStore.query(Post, changed.id)).title, 'Changed');
    assert.equal((await DataStore.query(Post, made.id)).title, 'Came');
    assert.equal(await DataStore.query(Post, deleted.id), undefined);
  });

  test('gets everything anew in the end, and with it what was deleted meanwhile', async () => {
    const post = await heard('INSERT', () => me.create({ title: 'Goes unheard' }));
    await DataStore.stop();
    await me.delete(post);
    // In minutes: all of it is too old.
    DataStore.configure({ fullSyncInterval: 1 / 60_000 });
    const { isFullSync } = await start();
    assert(isFullSync);
    assert.equal(await DataStore.query(Post, post.id), undefined);
  });
});
