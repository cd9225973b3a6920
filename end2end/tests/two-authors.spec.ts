import type { Page } from '@playwright/test';
import { send } from '../support/api.ts';
import { button, heading, link } from '../support/page.ts';
import { logIn, signedUp } from '../support/people.ts';
import { type Post, edit, entry, publish, published, show } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

/** As everybody reads it, and untouched since it was published. */
async function expectUnchanged(page: Page, post: Post): Promise<void> {
  await page.goto(show(post));
  await expect(heading(page)).toHaveText(post.title);
  await expect(page.getByRole('article')).toContainText(post.content);
  await expect(page.getByRole('article')).not.toContainText('edited');
}

test('two authors read each other and edit only themselves', async ({ page, author, visitor }) => {
  const other = await visitor();
  const stranger = await signedUp(other);
  await publish(page, { title: `Written by ${author.username}`, content: 'Mine.' });
  await publish(other, { title: `Written by ${stranger.username}`, content: 'Mine, too.' });

  for (const [reader, own, foreign] of [
    [page, author, stranger],
    [other, stranger, author],
  ] as const) {
    await reader.goto('/my-posts');
    await expect(entry(reader, `Written by ${own.username}`)).toBeVisible();
    await expect(entry(reader, `Written by ${foreign.username}`)).toBeHidden();

    await reader.goto('/');
    await entry(reader, `Written by ${foreign.username}`).getByRole('heading').getByRole('link').click();
    await expect(heading(reader)).toHaveText(`Written by ${foreign.username}`);
    await expect(link(reader, 'Edit')).toBeHidden();
    await expect(link(reader, 'Delete post')).toBeHidden();

    await reader.goto('/');
    await entry(reader, `Written by ${own.username}`).getByRole('heading').getByRole('link').click();
    await expect(link(reader, 'Edit')).toBeVisible();
    await expect(link(reader, 'Delete post')).toBeVisible();
  }
});

test("another's editor and delete page are refused", async ({ page, author, visitor, watch }) => {
  const post = await published(page, { title: 'Not yours', content: author.username });
  const other = await visitor();
  await signedUp(other);
  for (const path of [edit(post), `${show(post)}/delete`]) {
    await watch.status(other, 403, () => other.goto(path));
    await expect(heading(other)).toHaveText('This is not yours to change');
    await expect(other.getByRole('main').getByRole('textbox')).toHaveCount(0);
    await expect(other.getByRole('main').getByRole('button')).toHaveCount(0);
  }
});

test("a form pointed at another's post changes nothing", async ({ page, author, visitor, watch }) => {
  const post = await published(page, { title: 'Stays', content: `As ${author.username} left it.` });
  const other = await visitor();
  await signedUp(other);
  const own = await published(other, { title: 'Own', content: '' });

  // A form of the site, with only its target changed.
  await other.goto(edit(own));
  await other.locator('form.editor').evaluate((form, action) => form.setAttribute('action', action), edit(post));
  await watch.status(other, 403, () => button(other, 'Save changes').click());
  await expect(heading(other)).toHaveText('This is not yours to change');

  await other.goto(`${show(own)}/delete`);
  await other.locator('form', { has: button(other, 'Delete post') }).evaluate(
    (form, action) => form.setAttribute('action', action),
    `${show(post)}/delete`,
  );
  await watch.status(other, 403, () => button(other, 'Delete post').click());

  await expectUnchanged(page, post);
});

test("a call for another's post changes nothing", async ({ page, author, visitor }) => {
  const post = await published(page, { title: 'Stays as well', content: `As ${author.username} left it.` });
  const other = await visitor();
  const nobody = await visitor();
  await signedUp(other);
  const update = { id: post.id, version: '1', title: 'Taken', content: 'Taken.' };
  for (const accept of ['text/html', 'application/json']) {
    expect((await send(other, '/api/update_post', update, accept)).status()).toBe(403);
    expect((await send(other, '/api/delete_post', { id: post.id }, accept)).status()).toBe(403);
  }
  expect((await send(nobody, '/api/update_post', update, 'application/json')).status()).toBe(401);
  expect((await send(nobody, '/api/delete_post', { id: post.id }, 'application/json')).status()).toBe(401);
  await expectUnchanged(page, post);
});

test('whoever is not signed in is sent to log in and then to the post', async ({ page, author, visitor }) => {
  const post = await published(page, { title: 'Edited later', content: author.username });
  const nobody = await visitor();
  for (const path of [edit(post), `${show(post)}/delete`]) {
    await nobody.goto(path);
    await expect(nobody).toHaveURL(`/login?next=${path}`);
  }
  await logIn(nobody, author.username, author.password);
  await expect(nobody).toHaveURL(`${show(post)}/delete`);
});
