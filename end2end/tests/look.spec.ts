import { button, heading } from '../support/page.ts';
import { signedUp } from '../support/people.ts';
import { published, show } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

const scheme = () => getComputedStyle(document.documentElement).colorScheme;

test('a reader chooses the dark theme, and it is there on the next page where script runs', async ({
  page,
  javaScriptEnabled,
}) => {
  await page.goto('/');
  expect(await page.evaluate(scheme)).toBe('light dark');
  await page.getByText('Dark', { exact: true }).click();
  expect(await page.evaluate(scheme)).toBe('dark');
  await page.goto('/login');
  expect(await page.evaluate(scheme)).toBe(javaScriptEnabled === false ? 'light dark' : 'dark');
});

test('on a telephone an author finds what is theirs in a menu', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await signedUp(page);
  await page.goto('/');
  await expect(button(page, 'Log out')).toBeHidden();
  await page.getByText('Menu', { exact: true }).click();
  await page.getByRole('banner').getByRole('link', { name: 'My posts' }).click();
  await expect(heading(page)).toHaveText('My posts');
  const header = await page.getByRole('banner').boundingBox();
  expect(header?.height).toBeLessThanOrEqual(120);
});

test('a post leads to the ones before and after it', async ({ page, author }) => {
  const first = await published(page, { title: 'A first thing', content: '' });
  await published(page, { title: 'A second thing', content: '' });
  await page.goto(show(first));
  const more = page.getByRole('navigation', { name: 'By the same author' });
  await more.getByRole('link', { name: 'A second thing' }).click();
  await expect(heading(page)).toHaveText('A second thing');
  await expect(page.getByRole('article')).toContainText(author.username);
  await more.getByRole('link', { name: 'A first thing' }).click();
  await expect(heading(page)).toHaveText('A first thing');
});
