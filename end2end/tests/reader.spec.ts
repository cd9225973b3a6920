import { readFileSync } from 'node:fs';
import { heading, link } from '../support/page.ts';
import { signedUp } from '../support/people.ts';
import { address, entry, published, show } from '../support/posts.ts';
import { expect, freshSite, test } from '../support/test.ts';

test('a reader opens a post from the list and finds nothing to change', async ({ page, author, visitor }) => {
  await published(page, { title: 'The tide at noon', content: 'It **turned**.' });
  const reader = await visitor();
  await reader.goto('/');
  await expect(heading(reader)).toHaveText('Byline');
  const listed = entry(reader, 'The tide at noon');
  await expect(listed).toContainText(author.username);
  await expect(listed).toContainText('It turned.');
  await expect(listed.getByRole('time')).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT.*Z$/);

  await listed.getByRole('heading').getByRole('link').click();
  await expect(reader).toHaveTitle('The tide at noon – Byline');
  await expect(heading(reader)).toHaveText('The tide at noon');
  await expect(reader.getByRole('strong')).toHaveText('turned');
  await expect(reader.getByRole('link', { name: 'Edit' })).toBeHidden();
  await expect(reader.getByRole('link', { name: 'Delete post' })).toBeHidden();
});

test('a first visit of a post with italics loads at most 40 kB', async ({ page, author, visitor }) => {
  // Four thousand characters of real prose.
  const prose = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8').slice(0, 4_000);
  const post = await published(page, { title: 'Of what it costs', content: `*First of all*, a post.\n\n${prose}` });
  const reader = await visitor();
  const network = await reader.context().newCDPSession(reader);
  const sizes = new Map<string, number>();
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    sizes.set(requestId, encodedDataLength),
  );
  await network.send('Network.enable');
  await reader.goto(address(post), { waitUntil: 'networkidle' });
  await expect(heading(reader)).toHaveText('Of what it costs');
  const loaded = await reader.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name));
  expect(loaded).toContainEqual(expect.stringContaining('serif-italic'));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeLessThanOrEqual(40_000);
});

test('a reader pages through older posts and back', async ({ page, author }) => {
  const titles = Array.from({ length: 25 }, (_, at) => `Page of a diary, ${at + 1}`);
  for (const title of titles) await published(page, { title, content: '' });
  const newestFirst = titles.toReversed();
  const shown = () => page.getByRole('article').getByRole('heading').allTextContents();

  for (const list of ['/', '/my-posts']) {
    await page.goto(list);
    expect(await shown()).toEqual(newestFirst.slice(0, 20));
    await expect(link(page, 'Newer posts')).toBeHidden();

    await link(page, 'Older posts').click();
    await expect(page).toHaveURL(/\?older=/);
    expect((await shown()).slice(0, 5)).toEqual(newestFirst.slice(20));

    await link(page, 'Newer posts').click();
    await expect(page).toHaveURL(/\?newer=/);
    expect(await shown()).toEqual(newestFirst.slice(0, 20));
    await expect(link(page, 'Newer posts')).toBeHidden();
  }
});

test('a reader gets by with the keyboard alone', async ({ page, author, visitor }) => {
  await published(page, { title: 'Reached without a mouse', content: '' });
  const reader = await visitor();
  await reader.goto('/');
  const next = async (name: string) => {
    await reader.keyboard.press('Tab');
    const focused = reader.locator(':focus');
    await expect(focused).toHaveAccessibleName(name);
    await expect(focused).toBeInViewport({ ratio: 1 });
    await expect(focused).toHaveCSS('outline-style', 'solid');
  };

  for (const name of ['Skip to content', 'All posts', 'Search', 'Sign up', 'Log in']) {
    await next(name);
  }
  await next('Reached without a mouse');

  await reader.reload();
  await next('Skip to content');
  await reader.keyboard.press('Enter');
  await next('Reached without a mouse');
  await reader.keyboard.press('Enter');
  await expect(heading(reader)).toHaveText('Reached without a mouse');
});

test('a reader who asks for their own posts is sent to log in', async ({ page }) => {
  await page.goto('/my-posts');
  await expect(page).toHaveURL('/login?next=/my-posts');
  await expect(heading(page)).toHaveText('Log in');
});

test('what is not there is a page with status 404', async ({ page, author, watch }) => {
  const post = await published(page, { title: 'Still here', content: '' });
  const missing = show({ ...post, id: post.id.replaceAll(/[1-9a-f]/g, '0') });
  for (const path of ['/nothing/here', '/posts/none', missing, `${missing}/delete`]) {
    await watch.status(page, 404, () => page.goto(path));
    await expect(heading(page)).toHaveText('Page not found');
    await expect(link(page, 'Go to all posts')).toBeVisible();
  }
});

test('a health check answers', async ({ request }) => {
  expect((await request.get('/healthz')).status()).toBe(200);
});

test.describe('an empty site', () => {
  test.use(freshSite);

  test('tells everyone what to do next', async ({ page, visitor }) => {
    await page.goto('/');
    await expect(page.getByRole('main')).toContainText('Nothing has been published here yet');
    await expect(link(page, 'log in')).toHaveAttribute('href', '/login');
    await link(page, 'Sign up').click();
    await expect(heading(page)).toHaveText('Sign up');

    const author = await visitor();
    await signedUp(author);
    await author.goto('/');
    await link(author, 'Write the first post').click();
    await expect(heading(author)).toHaveText('New post');
  });
});
