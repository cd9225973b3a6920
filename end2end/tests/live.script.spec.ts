import type { Page, Response } from '@playwright/test';
import { call } from '../support/api.ts';
import { heading } from '../support/page.ts';
import { signedUp } from '../support/people.ts';
import { entry, published } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

const isListening = (response: Response): boolean => new URL(response.url()).pathname === '/events';

/** Opens a list and waits until it hears what happens. */
async function openLive(page: Page, path = '/'): Promise<void> {
  await Promise.all([page.waitForResponse(isListening), page.goto(path)]);
}

const news = (page: Page, words: string) =>
  page.getByRole('main').getByRole('status').getByRole('link', { name: words, exact: true });

/** Where things stand on the screen. */
const layout = (page: Page) =>
  page.evaluate(() =>
    [scrollY, ...Array.from(document.querySelectorAll('h1, article'), (part) => part.getBoundingClientRect().top)],
  );

/** What a browser does when its tab is covered and looked at again. */
const turn = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

test('a reader is offered new posts and nothing moves until they ask', async ({ page, author, visitor }) => {
  for (const number of [1, 2, 3, 4, 5]) {
    await published(page, { title: `Known to readers ${number}`, content: 'A line to fill the list. '.repeat(30) });
  }
  const reader = await visitor();
  await openLive(reader);
  await reader.mouse.wheel(0, 300);
  await expect.poll(() => reader.evaluate(() => scrollY)).toBeGreaterThan(200);
  const before = await layout(reader);

  await published(page, { title: 'First of the news', content: '' });
  await expect(news(reader, '1 new post')).toBeInViewport({ ratio: 1 });
  await published(page, { title: 'Second of the news', content: '' });
  await published(page, { title: 'Third of the news', content: '' });
  await expect(news(reader, '3 new posts')).toBeInViewport({ ratio: 1 });
  expect(await layout(reader)).toEqual(before);
  await expect(entry(reader, 'Third of the news')).toBeHidden();

  await news(reader, '3 new posts').click();
  await expect(entry(reader, 'Third of the news')).toBeVisible();
  await expect(entry(reader, 'Third of the news')).toContainText(author.username);
  await expect(heading(reader)).toHaveText('Byline');
  await expect(news(reader, '3 new posts')).toBeHidden();
});

test('a reader sees which posts were edited or deleted meanwhile', async ({ page, author, visitor }) => {
  const edited = await published(page, { title: 'Soon edited', content: author.username });
  const deleted = await published(page, { title: 'Soon deleted', content: '' });
  await published(page, { title: 'Left alone', content: '' });
  const reader = await visitor();
  await openLive(reader);
  const before = await layout(reader);

  await call(page, 'update_post', { id: edited.id, version: '1', title: 'Edited', content: '' });
  await expect(entry(reader, 'Soon edited')).toContainText('Edited since you opened this page');
  await call(page, 'update_post', { id: edited.id, version: '2', title: 'Edited again', content: '' });
  await call(page, 'delete_post', { id: deleted.id });
  await expect(entry(reader, 'Soon deleted')).toContainText('Deleted by its author');
  await expect(entry(reader, 'Soon edited').getByText('Edited since')).toHaveCount(1);
  await expect(entry(reader, 'Left alone').getByText(/Edited|Deleted/)).toHaveCount(0);
  expect(await layout(reader)).toEqual(before);

  const gone = await published(page, { title: 'Here and gone', content: '' });
  await expect(news(reader, '1 new post')).toBeVisible();
  await call(page, 'delete_post', { id: gone.id });
  await expect(reader.getByRole('main').getByRole('status').getByRole('link')).toHaveCount(0);
});

test('a hidden tab stops listening and catches up when it is looked at again', async ({ page, author, visitor }) => {
  await published(page, { title: `By ${author.username}`, content: '' });
  const reader = await visitor();
  await openLive(reader);
  await published(page, { title: 'While it is looked at', content: '' });
  await expect(news(reader, '1 new post')).toBeVisible();

  const closed = reader.waitForEvent('requestfailed', (request) => request.url().includes('/events'));
  await turn(reader, 'hidden');
  await closed;
  await published(page, { title: 'While nobody looks', content: '' });
  await expect(news(reader, '1 new post')).toBeVisible();

  await turn(reader, 'visible');
  await expect(news(reader, '2 new posts')).toBeVisible();
});

test('a reader of older posts hears of new ones too', async ({ page, visitor }) => {
  await signedUp(page);
  for (let at = 0; at < 21; at += 1) await published(page, { title: `Older and older ${at}`, content: '' });
  const reader = await visitor();
  await reader.goto('/');
  const older = await reader.getByRole('link', { name: 'Older posts' }).getAttribute('href');
  await openLive(reader, older ?? '');
  await published(page, { title: 'Newest of all', content: '' });
  await expect(news(reader, '1 new post')).toBeVisible();
  await news(reader, '1 new post').click();
  await expect(entry(reader, 'Newest of all')).toBeVisible();
});
