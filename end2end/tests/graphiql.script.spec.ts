import type { Page } from '@playwright/test';
import { call } from '../support/api.ts';
import { expectAccessible, expectNoSidewaysScrolling, field } from '../support/page.ts';
import { signedUp } from '../support/people.ts';
import { published } from '../support/posts.ts';
import { ENGINE } from '../support/server.js';
import { expect, test } from '../support/test.ts';

// Every test also fails if the browser has a complaint, such as a violated policy.

const POST = { title: 'Read by a program', content: 'And by people.' };

async function open(page: Page): Promise<void> {
  await page.goto('/graphiql');
  await expect(page.getByRole('region', { name: 'Query Editor' })).toContainText('allPosts');
}

const tab = (page: Page, name: string) =>
  page.getByRole('list', { name: 'Select active operation' }).getByRole('button', { name, exact: true });
const result = (page: Page) => page.getByRole('region', { name: 'Result Window' });

async function run(page: Page, name: string): Promise<void> {
  await tab(page, name).click();
  await page.getByRole('button', { name: /^Execute query/ }).click();
}

test('an author runs the examples in their own name', async ({ page, author }) => {
  await published(page, POST);
  await open(page);
  await expect(page.getByRole('banner')).toContainText(`You ask as ${author.username}`);
  await run(page, 'AllPosts');
  await expect(result(page)).toContainText(POST.title);
  await run(page, 'CreatePost');
  await expect(result(page)).toContainText('From GraphiQL');
  await run(page, 'ListPosts');
  await expect(result(page)).toContainText('From GraphiQL');
  await page.goto('/my-posts');
  await expect(page.getByRole('main')).toContainText('From GraphiQL');
});

test('whoever has no credential is told what to do, and an API key is one', async ({ page, visitor }) => {
  const writer = await visitor();
  await signedUp(writer);
  await published(writer, POST);
  const { key } = await call<{ key: string }>(writer, 'create_api_key', { name: 'Reader', days: '1' });

  await open(page);
  await run(page, 'ListPosts');
  await expect(result(page)).toContainText('Log in, or paste an API key');
  await field(page, 'an API key or access token').fill(key);
  await run(page, 'ListPosts');
  await expect(result(page)).toContainText(POST.title);
  await page.reload();
  await run(page, 'AllPosts');
  await expect(result(page)).toContainText(POST.title);
  // It is kept as long as the tab, and never on the disk.
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(key);
});

test('a subscription shows what is published meanwhile, and stops', async ({ page }) => {
  await signedUp(page);
  await open(page);
  await tab(page, 'OnCreatePost').click();
  const [socket] = await Promise.all([
    page.waitForEvent('websocket'),
    page.getByRole('button', { name: /^Execute query/ }).click(),
  ]);
  // What was published before the server has the subscription is not its to tell.
  await expect
    .poll(async () => {
      await published(page, POST);
      return result(page).textContent();
    })
    .toContain(POST.title);
  await Promise.all([
    socket.waitForEvent('close'),
    page.getByRole('button', { name: /^Stop query/ }).click(),
  ]);
});

test('every menu and dialog opens, and the keyboard gets through the page', async ({ page }) => {
  await open(page);
  for (const name of [/settings dialog/i, /short keys dialog/i]) {
    await page.getByRole('button', { name }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await expect(page.getByText('Root Types')).toBeVisible();
  const editor = page.getByRole('region', { name: 'Query Editor' }).getByRole('textbox');
  await editor.focus();
  await page.keyboard.press('Tab');
  await expect(editor).not.toBeFocused();
});

test('it fits every window, light and dark', async ({ page }) => {
  await open(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `artefacts/${ENGINE}/graphiql ${width} ${colorScheme}.png`, fullPage: true });
      await expectNoSidewaysScrolling(page);
    }
  }
});

test('a screen reader finds nothing wrong in it, light and dark, with its documentation too', async ({ page }) => {
  await open(page);
  for (const button of [undefined, 'Show Documentation Explorer']) {
    if (button) await page.getByRole('button', { name: button }).click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page, `in the ${colorScheme} theme`);
    }
  }
});
