import { call } from '../support/api.ts';
import { awake, button, field, heading } from '../support/page.ts';
import { edit, entry, expectInEditor, published, type } from '../support/posts.ts';
import { logIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';
import type { Page } from '@playwright/test';

const TEXT = { title: 'Half a thought', content: 'It began with' };

interface Draft {
  id: string;
  version: number;
  title: string;
  content: string;
}

async function open(page: Page, path = '/my-posts/new'): Promise<void> {
  await page.goto(path);
  await awake(page);
  await expect(page.locator('form[data-ready]')).toBeAttached();
}

const saved = (page: Page) => page.getByRole('status').filter({ hasText: /^Saved \d\d:\d\d$/ });

const drafts = async (page: Page): Promise<Draft[]> => (await page.request.get('/api/my_drafts')).json();

/** Begins a draft and returns it once it is saved. */
async function begun(page: Page, text = TEXT): Promise<Draft> {
  await open(page);
  await type(page, text);
  await expect(saved(page)).toBeVisible();
  const [draft] = await drafts(page);
  return draft;
}

test('what an author types becomes a draft on the site, in one version after another', async ({ page, author }) => {
  const draft = await begun(page);
  expect(draft).toMatchObject(TEXT);
  await expect(page).toHaveURL(edit(draft));

  const again = page.waitForResponse('**/api/save_draft');
  await field(page, 'Content').pressSequentially(' a walk');
  expect((await again).status()).toBe(200);
  expect(await drafts(page)).toMatchObject([{ id: draft.id, version: 2, content: 'It began with a walk' }]);
  // The device has nothing that the site does not have.
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).length)).toBe(0);

  await page.reload();
  await expectInEditor(page, { ...TEXT, content: 'It began with a walk' });
});

test('a draft that was saved while it was written is published from the same page', async ({ page, author }) => {
  await begun(page);
  await field(page, 'Content').fill('It ended well.');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  await expect(page.getByRole('article')).toContainText('It ended well.');
  expect(await drafts(page)).toEqual([]);
});

test('a text that is published before it was ever saved leaves no draft', async ({ page, author }) => {
  await open(page);
  await type(page, TEXT);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  expect(await drafts(page)).toEqual([]);
});

test('Publish waits for a save that is under way, and leaves one post and no draft', async ({ page, author }) => {
  await open(page);
  let go = () => {};
  const pressed = new Promise<void>((resolve) => (go = resolve));
  await page.route('**/api/save_draft', async (route) => {
    await pressed;
    await route.continue();
  });
  const sent = page.waitForRequest('**/api/save_draft');
  await type(page, TEXT);
  await sent;
  await button(page, 'Publish').click();
  go();
  await expect(heading(page)).toHaveText(TEXT.title);
  expect(await drafts(page)).toEqual([]);
});

test('a save whose answer is lost is not done twice', async ({ page, author, watch }) => {
  await open(page);
  // The site refuses the key with another text, and names the draft that it made.
  watch.expectStatus(422);
  let count = 0;
  await page.route('**/api/save_draft', async (route) => {
    count += 1;
    if (count > 1) return route.continue();
    await route.fetch();
    await route.abort('aborted');
  });
  await type(page, TEXT);
  await expect(page.getByRole('status').filter({ hasText: 'You are offline' })).toBeVisible();
  await field(page, 'Content').pressSequentially(' more');
  await expect(saved(page)).toBeVisible();
  expect(await drafts(page)).toMatchObject([{ content: `${TEXT.content} more` }]);
});

test('a published post is not changed before its author saves it', async ({ page, author }) => {
  const post = await published(page, { title: 'Public', content: 'Old.' });
  await open(page, edit(post));
  let count = 0;
  page.on('request', (request) => (count += Number(request.url().endsWith('/api/save_draft'))));
  await field(page, 'Content').fill('New.');
  await expect(page.getByRole('status').filter({ hasText: 'Draft kept on this device' })).toBeVisible();
  await button(page, 'Save changes').click();
  await expect(page.getByRole('article')).toContainText('New.');
  expect(count).toBe(0);
});

test('without a network the text stays, Publish stays on the page, and both work afterwards', async ({
  page,
  author,
  context,
}) => {
  await begun(page);
  await context.setOffline(true);
  await field(page, 'Content').fill('Written on a train.');
  await button(page, 'Publish').click();
  const said = page.getByRole('status').filter({ hasText: 'You are offline. Your text is kept on this device' });
  await expect(said).toBeVisible();
  await expect(field(page, 'Content')).toHaveValue('Written on a train.');
  await context.setOffline(false);
  await expect(saved(page)).toBeVisible();
  expect(await drafts(page)).toMatchObject([{ content: 'Written on a train.' }]);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
});

test('every field that was filled in without a network outlives its tab', async ({ page: first, author, context }) => {
  const year = new Date().getFullYear() + 1;
  const typed = { Tags: 'Slow Days, notes', Address: 'a-long-walk', 'Publish at': `${year}-01-01T00:00` };
  await open(first);
  await context.setOffline(true);
  await type(first, TEXT);
  for (const [label, value] of Object.entries(typed)) await field(first, label).fill(value);
  await field(first, 'Language').selectOption('fr');
  await field(first, 'Time zone').selectOption('UTC+02:00');
  const said = first.getByRole('status').filter({ hasText: 'You are offline. Your text is kept on this device' });
  await expect(said).toBeVisible();
  // With a network, a tab that is closed would still send it.
  await first.close();
  await context.setOffline(false);

  const page = await context.newPage();
  await open(page);
  await expect(field(page, 'Tags')).toHaveValue('');
  await button(page, 'Restore the draft').click();
  await expectInEditor(page, TEXT);
  for (const [label, value] of Object.entries(typed)) await expect(field(page, label)).toHaveValue(value);
  await expect(field(page, 'Language')).toHaveValue('fr');
  await expect(field(page, 'Time zone')).toHaveValue('+02:00');
  // The site gets all of it, and the device has nothing more.
  await expect(saved(page)).toBeVisible();
  const filed = { tags: ['slow-days', 'notes'], slug: 'a-long-walk', language: 'fr', utc_offset: 120 };
  expect(await drafts(page)).toMatchObject([
    { ...TEXT, ...filed, publish_at: expect.stringContaining(`${year - 1}-12-31T22:00:00`) },
  ]);
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).length)).toBe(0);
});

test('tags that were changed without a network outlive a reload', async ({ page, author, context }) => {
  const draft = await begun(page);
  await context.route('**/api/save_draft', (route) => route.abort('aborted'));
  await field(page, 'Tags').fill('slow');
  await field(page, 'Language').selectOption('fr');
  await expect(page.getByRole('status').filter({ hasText: 'Draft kept on this device' })).toBeVisible();
  await page.reload();
  await awake(page);
  await context.unroute('**/api/save_draft');
  await button(page, 'Restore the draft').click();
  await expect.poll(() => drafts(page)).toMatchObject([{ id: draft.id, ...TEXT, tags: ['slow'], language: 'fr' }]);
  await page.reload();
  await awake(page);
  await expect(field(page, 'Tags')).toHaveValue('slow');
  await expect(page.getByRole('region', { name: 'Unsaved drafts' })).toBeHidden();
});

test('whoever goes back to a form that has published a post makes no second one', async ({ page, author, watch }) => {
  const changed = { ...TEXT, content: 'It began with a walk.' };
  await open(page);
  await type(page, TEXT);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  // Asked to begin a draft, the site names the post; and a post is no draft to save.
  watch.expectStatus(422);
  watch.expectStatus(409);
  await page.goBack();
  await expectInEditor(page, TEXT);
  await expect(page.getByRole('alert')).toContainText('This is published already.');

  await type(page, changed);
  await watch.status(page, 409, () => button(page, 'Publish').click());
  await expectInEditor(page, changed);
  await expect(field(page, 'Saved content')).toHaveValue(TEXT.content);
  await button(page, 'Save changes').click();
  await expect(page.getByRole('article')).toContainText(changed.content);
  expect(await drafts(page)).toEqual([]);
  await page.goto('/my-posts');
  await expect(entry(page, TEXT.title)).toHaveCount(1);
});

test('whoever leaves a form and goes back to it goes on with one draft', async ({ page, author }) => {
  await open(page);
  await type(page, TEXT);
  await page.getByRole('banner').getByRole('link', { name: 'All posts' }).click();
  await expect(page).toHaveURL('/');
  await expect.poll(() => drafts(page)).toMatchObject([TEXT]);
  await page.goBack();
  await expectInEditor(page, TEXT);
  await expect(saved(page)).toBeVisible();
  await field(page, 'Content').fill('It began with a walk.');
  await expect.poll(() => drafts(page)).toMatchObject([{ content: 'It began with a walk.' }]);
});

test('while an author decides what a text becomes, nothing is saved by itself', async ({ page, author, watch }) => {
  await open(page);
  const key = await page.locator('input[name=idempotency_key]').inputValue();
  await call(page, 'create_post', { ...TEXT, idempotency_key: key });
  await type(page, { ...TEXT, content: 'Written on.' });
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expect(page.locator('form[data-ready]')).toBeAttached();
  await awake(page);
  await field(page, 'Content').fill('Written on, and on.');
  await expect(page.getByRole('status').filter({ hasText: 'Draft kept on this device' })).toBeVisible();
  // What makes an editor save at once.
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await button(page, 'Save it as a change to that post').click();
  await expect(page.getByRole('article')).toContainText('Written on, and on.');
  expect(await drafts(page)).toEqual([]);
});

test('an author whose login has ended is told so, and goes on after logging in again in another tab', async ({
  page,
  author,
  context,
  watch,
}) => {
  await begun(page);
  await context.clearCookies();
  watch.expectStatus(401);
  // The preview asks too.
  watch.expectStatus(401);
  await field(page, 'Content').fill('Written without a session.');
  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('alert').getByRole('link', { name: 'Log in in a new tab' }).click(),
  ]);
  await logIn(tab, author.username, author.password);
  await expect(heading(tab)).toHaveText('My posts');
  await tab.close();
  await page.bringToFront();
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  await expect(saved(page)).toBeVisible();
  await expect(page.getByRole('alert')).toBeHidden();
  expect(await drafts(page)).toMatchObject([{ content: 'Written without a session.' }]);
});

for (const keepsOwn of [true, false]) {
  const what = keepsOwn ? 'keeps theirs' : 'takes the other';
  test(`of two tabs with one draft, the second to save is offered both texts and ${what}`, async ({
    page,
    author,
    context,
    watch,
  }) => {
    const draft = await begun(page);
    const theirs = { tags: 'alpha, beta', language: 'fr' };
    await call(page, 'save_draft', { id: draft.id, title: 'From the other tab', content: 'Other.', ...theirs });
    watch.expectStatus(409);
    await field(page, 'Content').fill('Mine.');
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('changed in another tab');
    await alert.getByText('Show the other text').click();
    await expect(field(page, 'The other text')).toHaveValue('From the other tab\n\nOther.\n\nTags: alpha, beta');
    if (keepsOwn) {
      await button(page, 'Keep my text').click();
      await expect(saved(page)).toBeVisible();
      await expect.poll(() => drafts(page)).toMatchObject([
        // What this tab had not changed is as the other has saved it.
        { title: TEXT.title, content: 'Mine.', tags: ['alpha', 'beta'], language: 'fr' },
      ]);
      await expect(field(page, 'Tags')).toHaveValue(theirs.tags);
    } else {
      await button(page, 'Use the other text').click();
      await expectInEditor(page, { title: 'From the other tab', content: 'Other.' });
      await expect(field(page, 'Tags')).toHaveValue(theirs.tags);
      await expect(field(page, 'Language')).toHaveValue(theirs.language);
      const tab = await context.newPage();
      await page.close();
      await open(tab, edit(draft));
      await expect(tab.getByRole('region', { name: 'Unsaved drafts' })).toContainText(TEXT.title);
      await button(tab, 'Restore the draft').click();
      await expect(field(tab, 'Content')).toHaveValue('Mine.');
    }
  });
}

test('two tabs that save at the same time make two drafts, and neither asks its author anything', async ({
  page,
  author,
  context,
}) => {
  const other = await context.newPage();
  await Promise.all([open(page), open(other)]);
  for (const words of ['began', 'went on']) {
    for (const [tab, name] of [[page, 'One'], [other, 'Two']] as const) {
      await type(tab, { title: name, content: `${name} ${words}` });
    }
    const both = { One: `One ${words}`, Two: `Two ${words}` };
    const contents = async () => Object.fromEntries((await drafts(page)).map(({ title, content }) => [title, content]));
    await expect.poll(contents).toEqual(both);
  }
  for (const tab of [page, other]) {
    await expect(saved(tab)).toBeVisible();
    await expect(tab.getByRole('alert')).toBeHidden();
  }
  expect(await drafts(page)).toHaveLength(2);
});

test('two tabs in which one draft is written lose neither text', async ({ page, author, context, watch }) => {
  const draft = await begun(page);
  const other = await context.newPage();
  await open(other, edit(draft));
  await field(page, 'Content').fill('From the first tab.');
  await expect.poll(() => drafts(page)).toMatchObject([{ content: 'From the first tab.' }]);
  watch.expectStatus(409);
  await field(other, 'Content').fill('From the second tab.');
  const alert = other.getByRole('alert');
  await expect(alert).toContainText('changed in another tab');
  await alert.getByText('Show the other text').click();
  await expect(field(other, 'The other text')).toHaveValue(`${TEXT.title}\n\nFrom the first tab.`);
  await expect(field(other, 'Content')).toHaveValue('From the second tab.');
  await button(other, 'Keep my text').click();
  await expect.poll(() => drafts(page)).toMatchObject([{ content: 'From the second tab.' }]);
  // The first tab learns of it when it saves again.
  watch.expectStatus(409);
  await field(page, 'Content').fill('From the first tab, again.');
  await expect(page.getByRole('alert')).toContainText('changed in another tab');
  await expect(field(page, 'Content')).toHaveValue('From the first tab, again.');
});
