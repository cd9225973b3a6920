import type { Page } from '@playwright/test';
import { call } from '../support/api.ts';
import { awake, button, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

const PAGE = '/account/api-keys';

const keys = (page: Page) => page.getByRole('article').getByRole('heading');

/** Fills in the form and sends it; the new key. */
async function make(page: Page, name: string): Promise<string> {
  await field(page, 'Name').fill(name);
  await button(page, 'Make key').click();
  return field(page, 'Key').inputValue();
}

test('a person makes a key, sees it once and revokes it', async ({ page, author }) => {
  await page.goto('/');
  await page.getByRole('banner').getByRole('link', { name: author.username }).click();
  await expect(page).toHaveURL('/account');
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'API keys' }).click();
  await expect(page).toHaveURL(PAGE);
  await expect(heading(page)).toHaveText('API keys');
  await expect(page.getByRole('main')).toContainText('You have no API keys');

  const key = await make(page, 'A clock on the wall');
  expect(key).toMatch(/^byl_[A-Za-z0-9]{38}$/);
  const shown = page.getByRole('region', { name: 'Your new key' });
  await expect(shown).toBeFocused();
  await expect(field(page, 'Key')).toHaveAccessibleDescription(/not be shown again/);
  await expect(keys(page)).toHaveText(['A clock on the wall']);

  await page.goto(PAGE);
  await expect(shown).toBeHidden();
  await link(page, 'Revoke').click();
  await expect(page.getByRole('main')).toContainText('“A clock on the wall” (' + key.slice(0, 8));
  await link(page, 'Keep it').click();
  await expect(keys(page)).toHaveText(['A clock on the wall']);

  await link(page, 'Revoke').click();
  await button(page, 'Revoke key').dblclick();
  await expect(notice(page, 'The key is revoked')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('You have no API keys');
});

test('a key that is asked for twice is made once', async ({ page, author }) => {
  await page.goto(PAGE);
  await field(page, 'Name').fill(`Once for ${author.username}`);
  await button(page, 'Make key').dblclick();
  const key = await field(page, 'Key').inputValue();
  await page.reload();
  await expect(field(page, 'Key')).toHaveValue(key);
  await expect(keys(page)).toHaveCount(1);
});

test('what breaks a rule is said at the field', async ({ page, author, watch }) => {
  await page.goto(PAGE);
  await field(page, 'Name').fill(`Reader of ${author.username}`);
  await field(page, 'Days until it expires').fill('366');
  await watch.status(page, 422, () => button(page, 'Make key').click());
  await expectProblem(page, 'Days until it expires', 'from 1 to 365');
  await expect(field(page, 'Name')).toHaveValue(`Reader of ${author.username}`);
});

test('the keyboard does it all', async ({ page, author, javaScriptEnabled }) => {
  await call(page, 'create_api_key', { name: `Old one of ${author.username}`, days: '1' });
  await page.goto(PAGE);
  await link(page, 'Revoke').focus();
  await page.keyboard.press('Tab');
  await expect(field(page, 'Name')).toBeFocused();
  await page.keyboard.type('New one');
  await page.keyboard.press('Enter');
  const key = await field(page, 'Key').inputValue();
  await page.keyboard.press('Tab');
  await expect(field(page, 'Key')).toBeFocused();
  if (!javaScriptEnabled) {
    await expect(button(page, 'Copy key')).toBeHidden();
    return;
  }
  await awake(page);
  await page.keyboard.press('Tab');
  await expect(button(page, 'Copy key')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Copied' })).toBeVisible();
  await field(page, 'Name').focus();
  await page.keyboard.press('ControlOrMeta+V');
  await expect(field(page, 'Name')).toHaveValue(key);
});
