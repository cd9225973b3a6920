import type { Page } from '@playwright/test';
import { awake, button, errorSummary, field, heading, notice, preview } from '../support/page.ts';
import { logIn, logOut } from '../support/people.ts';
import { address, edit, entry, expectInEditor, publish, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

// The editor saves nothing by itself here, so that what is sent is what the author
// sends; autosave.script.spec.ts has the other half.
test.beforeEach(({ context }) => context.route('**/api/save_draft', (route) => route.abort('aborted')));

/** Clicks, and loses the answer on its way back: the server has done what was asked, the page stands still. */
async function clickAndLoseTheAnswer(page: Page, name: string): Promise<void> {
  let done = (_status: number) => {};
  const answered = new Promise<number>((resolve) => (done = resolve));
  await page.route('**', async (route) => {
    if (!route.request().isNavigationRequest()) return route.fallback();
    const answer = await route.fetch({ maxRedirects: 0 });
    await route.abort('aborted');
    done(answer.status());
  });
  await button(page, name).click({ noWaitAfter: true });
  expect(await answered).toBe(303);
  await page.unroute('**');
}

test('a double click on Publish makes one post', async ({ page, author }) => {
  const title = `Once by ${author.username}`;
  await page.goto('/my-posts/new');
  await type(page, { title, content: 'Twice clicked.' });
  await button(page, 'Publish').dblclick();
  await expect(heading(page)).toHaveText(title);

  await page.goto('/my-posts');
  await expect(entry(page, title)).toHaveCount(1);
});

test('publishing again after the answer got lost makes one post', async ({ page, author }) => {
  const title = `Lost once by ${author.username}`;
  await page.goto('/my-posts/new');
  await type(page, { title, content: 'Sent twice.' });
  await clickAndLoseTheAnswer(page, 'Publish');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(title);

  await page.goto('/my-posts');
  await expect(entry(page, title)).toHaveCount(1);
});

test('a text that was written on after the answer got lost comes back', async ({ page, author, watch, javaScriptEnabled }) => {
  const title = `Lost by ${author.username}`;
  await page.goto('/my-posts/new');
  if (javaScriptEnabled) await awake(page);
  await type(page, { title, content: 'As sent.' });
  await clickAndLoseTheAnswer(page, 'Publish');
  await field(page, 'Content').fill('As sent, and written on.');
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expectInEditor(page, { title, content: 'As sent, and written on.' });
  await expect(errorSummary(page)).toContainText('sent before with other text');

  await button(page, 'Save it as a change to that post').click();
  await expect(heading(page)).toHaveText(title);
  await expect(page.getByRole('article')).toContainText('As sent, and written on.');
  await page.goto('/my-posts');
  await expect(entry(page, title)).toHaveCount(1);
  if (javaScriptEnabled) {
    await page.goto('/my-posts/new');
    await awake(page);
    await expect(preview(page)).toBeVisible();
    await expect(page.getByRole('region', { name: 'Unsaved drafts' })).toBeHidden();
  }
});

test('Back brings title and text back', async ({ page, author, javaScriptEnabled }) => {
  const text = { title: 'On the way out', content: 'Half a text.' };
  const post = await published(page, { title: 'There already', content: 'Whole.' });
  for (const path of ['/my-posts/new', edit(post)]) {
    await page.goto(path);
    if (javaScriptEnabled) await awake(page);
    await type(page, text);
    await page.getByRole('banner').getByRole('link', { name: 'All posts' }).click();
    await expect(page).toHaveURL('/');
    await page.goBack();
    await expectInEditor(page, text);
  }
  await page.goto('/account/api-keys');
  await field(page, 'Name').fill('A clock');
  await field(page, 'Days until it expires').fill('7');
  await page.getByRole('banner').getByRole('link', { name: 'All posts' }).click();
  await expect(page).toHaveURL('/');
  await page.goBack();
  await expect(field(page, 'Name')).toHaveValue('A clock');
  await expect(field(page, 'Days until it expires')).toHaveValue('7');
});

test('a text is still there behind a refusal of a busy site', async ({ page, author, watch }) => {
  const text = { title: 'Sent to nobody', content: 'Not read.' };
  await page.goto('/my-posts/new');
  await type(page, text);
  await page.route('/my-posts/new', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fulfill({ status: 503, contentType: 'text/html', body: '<h1>Too busy just now</h1>' });
  });
  await watch.status(page, 503, () => button(page, 'Publish').click());
  await expect(heading(page)).toHaveText('Too busy just now');
  await page.unroute('/my-posts/new');
  await page.goBack();
  await expectInEditor(page, text);
});

test('two texts outlive a session that ended', async ({ page, author, context, javaScriptEnabled }) => {
  const texts = [
    { title: 'The first of two', content: 'One.' },
    { title: 'The second of two', content: 'Two.' },
  ];
  const other = await context.newPage();
  for (const [at, tab] of [page, other].entries()) {
    await tab.goto('/my-posts/new');
    await type(tab, texts[at]!);
    // Asked for later, it would be refused.
    if (javaScriptEnabled) await expect(preview(tab)).toContainText(texts[at]!.content);
  }
  const third = await context.newPage();
  await third.goto('/');
  await logOut(third);
  for (const tab of [page, other]) {
    await button(tab, 'Publish').click();
    await expect(tab).toHaveURL('/login?next=/my-posts/new');
  }
  await logIn(page, author.username, author.password);
  await expectInEditor(page, texts[0]!);
  await page.getByRole('region', { name: 'Not saved yet' }).getByRole('link', { name: texts[1]!.title }).click();
  await expectInEditor(page, texts[1]!);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(texts[1]!.title);
  const waiting = page.getByRole('region', { name: 'Not saved yet' });
  await expect(waiting.getByRole('link')).toHaveText([texts[0]!.title]);
  await waiting.getByRole('button', { name: 'Discard' }).click();
  await expect(waiting).toBeHidden();
});

test('saving again after the answer got lost meets no conflict', async ({ page, author }) => {
  const post = await published(page, { title: 'Before', content: 'The first text.' });
  await page.goto(edit(post));
  await type(page, { title: 'After', content: 'The second text.' });
  await clickAndLoseTheAnswer(page, 'Save changes');
  await button(page, 'Save changes').click();
  await expect(page).toHaveURL(address(post));
  await expect(heading(page)).toHaveText('After');
});

test('deleting again after the answer got lost ends well', async ({ page, author }) => {
  const post = await published(page, { title: 'Deleted once', content: '' });
  await page.goto(`${show(post)}/delete`);
  await clickAndLoseTheAnswer(page, 'Delete post');
  await button(page, 'Delete post').click();
  await expect(notice(page, 'The post is deleted')).toBeVisible();
});

test('reloading after publishing makes no second post', async ({ page, author }) => {
  const title = `Once for ${author.username}`;
  await publish(page, { title, content: 'Sent once.' });
  await page.reload();
  await expect(heading(page)).toHaveText(title);

  await page.goto('/my-posts');
  await expect(entry(page, title)).toHaveCount(1);
});

test('a double click on "Save changes" saves once and meets no conflict', async ({ page, author }) => {
  const post = await published(page, { title: 'Before', content: 'The first text.' });
  await page.goto(edit(post));
  await type(page, { title: 'After', content: 'Saved.' });
  await button(page, 'Save changes').dblclick();
  await expect(page).toHaveURL(address(post));
  await expect(heading(page)).toHaveText('After');
});

test('a double click on "Delete post" ends well', async ({ page, author, watch }) => {
  const post = await published(page, { title: 'Deleted twice', content: 'The first text.' });
  await page.goto(`${show(post)}/delete`);
  await button(page, 'Delete post').dblclick();
  await expect(page).toHaveURL('/my-posts');
  await expect(notice(page, 'The post is deleted')).toBeVisible();
  await watch.status(page, 404, () => page.goto(show(post)));
});

test('a double click on "Sign up" makes one account and signs in', async ({ page }) => {
  await page.goto('/signup');
  await field(page, 'Username').fill('twice-clicked');
  await field(page, 'Email').fill('twice@example.org');
  await field(page, 'Password').fill('clicked more than once');
  await button(page, 'Sign up').dblclick();
  await expect(page).toHaveURL('/my-posts');
});

test('a text outlives a session that ended in another tab', async ({ page, author, context, javaScriptEnabled }) => {
  const text = { title: 'Written on borrowed time', content: 'Line one.\n\nLine <two> & "three".' };
  await page.goto('/my-posts/new');
  await type(page, text);
  if (javaScriptEnabled) await expect(preview(page)).toContainText('Line one');

  const other = await context.newPage();
  await other.goto('/');
  await logOut(other);

  await button(page, 'Publish').click();
  await expect(page).toHaveURL('/login?next=/my-posts/new');
  await logIn(page, author.username, author.password);
  await expect(page).toHaveURL('/my-posts/new');
  await expect(notice(page, 'Your text is still here')).toBeVisible();
  await expectInEditor(page, text);

  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(text.title);
  await page.goto('/my-posts');
  await expect(entry(page, text.title)).toHaveCount(1);
});

test('a text outlives a session that the server ended', async ({ page, author, context, javaScriptEnabled }) => {
  const post = await published(page, { title: 'Before the session ended', content: '' });
  const text = { title: 'After the session ended', content: 'Still here.' };
  await page.goto(`/my-posts/${post.id}/edit`);
  await type(page, text);
  if (javaScriptEnabled) await expect(preview(page)).toContainText(text.content);

  // The browser keeps a cookie that means nothing any more.
  const cookies = await context.cookies();
  const other = await context.newPage();
  await other.goto('/');
  await logOut(other);
  await context.addCookies(cookies);

  await button(page, 'Save changes').click();
  await expect(page).toHaveURL(`/login?next=/my-posts/${post.id}/edit`);
  await logIn(page, author.username, author.password);
  await expectInEditor(page, text);
  await button(page, 'Save changes').click();
  await expect(heading(page)).toHaveText(text.title);
});
