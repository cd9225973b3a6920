import type { Page } from '@playwright/test';
import { Authenticator } from '../support/authenticator.ts';
import { button, errorSummary, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { expectSignedIn, logOut, signedUp } from '../support/people.ts';
import { expect, test as base } from '../support/test.ts';

const PAGE = '/account/passkeys';
const REFUSED = 'That passkey was not accepted';

/** Passkeys are bound to a name, so the site is visited by one. */
const test = base.extend({
  baseURL: async ({ server }, use) => use(server.url.replace('127.0.0.1', 'localhost')),
});

const problem = (page: Page) => page.locator('[data-passkey-problem]');

const awake = (page: Page) => expect(page.locator('html[data-passkeys]')).toBeAttached();

async function add(page: Page, name: string): Promise<void> {
  await page.goto(PAGE);
  await awake(page);
  await field(page, 'Name').fill(name);
  await button(page, 'Add a passkey').click();
}

/** A page of login that waits for its button to be pressed. */
async function atLogin(page: Page, device: Authenticator, path = '/login'): Promise<void> {
  await device.touches(false);
  await page.goto(path);
  await awake(page);
}

/** Touches the device and presses the button, unless the browser's own offer was faster. */
async function press(page: Page, device: Authenticator): Promise<void> {
  await device.touches(true);
  await button(page, 'Log in with a passkey')
    .click({ timeout: 5000 })
    .catch(() => undefined);
}

test('a person adds a passkey, logs in with it alone and removes it', async ({ page, author }) => {
  const device = await Authenticator.plugIn(page);
  await page.goto(PAGE);
  await expect(heading(page)).toHaveText('Passkeys');
  await expect(page.getByRole('main')).toContainText('You have no passkeys');
  await add(page, 'This laptop');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  const listed = page.getByRole('article').getByRole('heading');
  await expect(listed).toHaveText(['This laptop']);
  expect((await device.kept()).map((kept) => kept.isResidentCredential)).toEqual([true]);
  await logOut(page);

  await atLogin(page, device, '/login?next=/my-posts/new');
  await press(page, device);
  await expect(page).toHaveURL('/my-posts/new');
  await expectSignedIn(page, author);

  await page.goto(PAGE);
  await link(page, 'Remove').click();
  await expect(page.getByRole('main')).toContainText('“This laptop” will not let you in any more');
  await button(page, 'Remove passkey').dblclick();
  await expect(notice(page, 'The passkey is removed')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('You have no passkeys');
});

test('a passkey is offered where the name is typed', async ({ page, author }) => {
  await Authenticator.plugIn(page);
  await add(page, 'This laptop');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  await logOut(page);
  await page.goto('/login');
  // The virtual authenticator chooses by itself.
  await expectSignedIn(page, author);
});

test('a device has one passkey of an account', async ({ page, author }) => {
  await Authenticator.plugIn(page);
  await add(page, 'This laptop');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  await add(page, 'The same laptop');
  await expect(problem(page)).toHaveText(/has a passkey of your account already/);
  await expect(button(page, 'Add a passkey')).toBeFocused();
  expect(author.username).toBeTruthy();
});

test('a name is asked for before the device is', async ({ page, author, watch }) => {
  const device = await Authenticator.plugIn(page);
  await page.goto(PAGE);
  await awake(page);
  await watch.status(page, 422, () => button(page, 'Add a passkey').click());
  await expectProblem(page, 'Name', 'Enter a name');
  expect(await device.kept(), author.username).toEqual([]);
});

for (const [what, options] of [
  ['keeps no passkeys', { hasResidentKey: false }],
  ['does not verify its owner', { isUserVerified: false }],
] as const) {
  test(`a device that ${what} is refused in words`, async ({ page, author }) => {
    const device = await Authenticator.plugIn(page, options);
    await add(page, 'An old key');
    await expect(problem(page)).toHaveText(/this device cannot keep one that asks who you are/);
    expect(await device.kept(), author.username).toEqual([]);
    await expect(button(page, 'Add a passkey')).toBeEnabled();
  });
}

test('a copy of a passkey is refused', async ({ page, author, watch }) => {
  const device = await Authenticator.plugIn(page);
  await add(page, 'This laptop');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  await logOut(page);
  await atLogin(page, device);
  await press(page, device);
  await expectSignedIn(page, author);
  await logOut(page);

  const [credential] = await device.kept();
  await device.replace({ ...credential, signCount: 0 });
  await atLogin(page, device);
  // The page of the refusal offers passkeys again, and a device that is still touched would
  // answer that as well.
  await page.route('**/login/passkey', async (route) => {
    await device.touches(false);
    await route.continue();
  });
  await watch.status(page, 422, () => press(page, device));
  await expect(errorSummary(page)).toContainText(REFUSED);
});

test('what was signed once is not taken again', async ({ page, author }) => {
  const device = await Authenticator.plugIn(page);
  await add(page, 'This laptop');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  await logOut(page);
  await atLogin(page, device);
  const [sent] = await Promise.all([
    page.waitForRequest((request) => request.url().endsWith('/login/passkey')),
    press(page, device),
  ]);
  await expectSignedIn(page, author);
  await logOut(page);
  const again = await page.request.post('/login/passkey', {
    data: sent.postData() ?? '',
    headers: {
      'accept': 'text/html',
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
  });
  expect(again.status()).toBe(422);
  expect(await again.text()).toContain(REFUSED);
});

test('at another address of the site a passkey does nothing', async ({ page, server, watch }) => {
  await Authenticator.plugIn(page);
  await page.goto(`${server.url}/signup`);
  await page.goto(server.url);
  await signedUpAt(page, server.url);
  await page.goto(`${server.url}${PAGE}`);
  await awake(page);
  await field(page, 'Name').fill('This laptop');
  await button(page, 'Add a passkey').click();
  await expect(problem(page)).toHaveText(/do not work at this address/);
  watch.verify();
});

/** A newcomer at another address than the tests' own. */
async function signedUpAt(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/signup`);
  const name = `elsewhere-${new URL(url).port}`;
  await field(page, 'Username').fill(name);
  await field(page, 'Email').fill(`${name}@example.org`);
  await field(page, 'Password').fill('the quiet words of elsewhere');
  await button(page, 'Sign up').click();
  await expect(button(page, 'Log out')).toBeVisible();
}

test('two people on one device each get in as themselves', async ({ page, author }) => {
  const device = await Authenticator.plugIn(page);
  await add(page, 'Shared');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  const [own] = await device.kept();
  await logOut(page);
  const other = await signedUp(page);
  await add(page, 'Shared');
  await expect(notice(page, 'The passkey is added')).toBeVisible();
  await logOut(page);

  const both = await device.kept();
  expect(both).toHaveLength(2);
  const people = both.map((kept) => (kept.credentialId === own.credentialId ? author : other));
  await atLogin(page, device);
  await press(page, device);
  // A person would be asked which passkey; the virtual authenticator takes the first.
  await expectSignedIn(page, people[0]);
  await logOut(page);

  // As one of another site it is not taken, so the second is.
  await device.replace({ ...both[0], rpId: 'elsewhere.example' });
  await atLogin(page, device);
  await press(page, device);
  await expectSignedIn(page, people[1]);
});
