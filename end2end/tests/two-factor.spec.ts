import type { Page } from '@playwright/test';
import { button, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { expectSignedIn, logIn, logOut } from '../support/people.ts';
import { expect, test } from '../support/test.ts';
import { totp } from '../support/totp.ts';

const PAGE = '/account/two-factor';

/** Sets an app up and turns it on; its secret and the recovery codes. */
async function turnOn(page: Page): Promise<{ secret: string; codes: string[] }> {
  await page.goto(PAGE);
  await button(page, 'Set up').click();
  const secret = await field(page, 'Secret').inputValue();
  // A step early, so that the code of now is still good for a login.
  await field(page, 'Code').fill(totp(secret, -1));
  await button(page, 'Turn on').click();
  const shown = page.getByRole('region', { name: 'Your recovery codes' });
  await expect(shown).toBeFocused();
  const codes = await shown.getByRole('listitem').allTextContents();
  expect(codes).toHaveLength(10);
  return { secret, codes };
}

test('a person turns it on, logs in with a code and turns it off', async ({ page, author, watch }) => {
  await page.goto(PAGE);
  await expect(heading(page)).toHaveText('Two-factor authentication');
  const { secret } = await turnOn(page);
  await page.goto(PAGE);
  await expect(page.getByRole('region', { name: 'Your recovery codes' })).toBeHidden();
  await expect(page.getByText('You have 10 recovery codes left.')).toBeVisible();
  await logOut(page);

  await page.goto('/login?next=/my-posts/new');
  await logIn(page, author.username, author.password);
  await expect(page).toHaveURL('/login/code?next=/my-posts/new');
  await expect(page.getByRole('banner').getByRole('link', { name: 'Log in' })).toBeVisible();
  await field(page, 'Code').fill(totp(secret, -1));
  await watch.status(page, 422, () => button(page, 'Continue').click());
  await expectProblem(page, 'Code', 'it was used before');
  await field(page, 'Code').fill(totp(secret));
  await button(page, 'Continue').click();
  await expect(page).toHaveURL('/my-posts/new');
  await expectSignedIn(page, author);

  await page.goto(PAGE);
  await button(page, 'Turn off').click();
  await expect(notice(page, 'Two-factor authentication is off')).toBeVisible();
  await logOut(page);
  await page.goto('/login');
  await logIn(page, author.username, author.password);
  await expectSignedIn(page, author);
});

test('a recovery code lets a person in who has lost the app', async ({ page, author, watch }) => {
  const { codes } = await turnOn(page);
  await logOut(page);
  await page.goto('/login');
  await logIn(page, author.username, author.password);
  await field(page, 'Code').fill(codes[3]);
  await button(page, 'Continue').click();
  await expectSignedIn(page, author);
  await logOut(page);
  await page.goto('/login');
  await logIn(page, author.username, author.password);
  await field(page, 'Code').fill(codes[3]);
  await watch.status(page, 422, () => button(page, 'Continue').click());
  await link(page, 'Begin again').click();
  await expect(heading(page)).toHaveText('Log in');
});

test('a QR code stands beside the secret', async ({ page, author }) => {
  await page.goto(PAGE);
  await button(page, 'Set up').dblclick();
  await expect(field(page, 'Secret')).toHaveValue(/^[A-Z2-7]{32}$/);
  const picture = page.getByRole('img', { name: /^QR code/ });
  await expect(picture).toBeVisible();
  const { width, height } = (await picture.boundingBox()) ?? { width: 0, height: 0 };
  expect([width, height], author.username).toEqual([240, 240]);
});
