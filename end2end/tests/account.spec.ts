import { button, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { expectSignedIn, logIn, logOut } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

const NEW = 'the loud words of tomorrow';

test('an author changes the password and stays signed in here alone', async ({ page, author, visitor, watch }) => {
  const phone = await visitor();
  await phone.goto('/login');
  await logIn(phone, author.username, author.password);
  await expectSignedIn(phone, author);

  await page.goto('/account');
  await link(page, 'Change password').click();
  await expect(heading(page)).toHaveText('Password');
  await field(page, 'Current password').fill('these are other words');
  await field(page, 'New password').fill(NEW);
  await watch.status(page, 422, () => button(page, 'Change password').click());
  await expectProblem(page, 'Current password', 'That is not your password');
  await expect(field(page, 'Current password')).toHaveValue('');
  await field(page, 'Current password').fill(author.password);
  await field(page, 'New password').fill(NEW);
  await button(page, 'Change password').click();
  await expect(notice(page, 'Your password is changed')).toBeVisible();
  await expectSignedIn(page, author);

  await phone.goto('/my-posts');
  await expect(phone).toHaveURL('/login?next=/my-posts');
  await logIn(phone, author.username, NEW);
  await expectSignedIn(phone, author);
});

test('an author signs out everywhere else', async ({ page, author, visitor }) => {
  const phone = await visitor();
  await phone.goto('/login');
  await logIn(phone, author.username, author.password);
  await expectSignedIn(phone, author);

  await page.goto('/account');
  await link(page, 'Show logins').click();
  await expect(page.getByRole('article')).toHaveCount(2);
  await expect(page.getByRole('article').first()).toContainText('(this one)');
  await button(page, 'Sign out everywhere else').click();
  await expect(notice(page, 'You are signed out everywhere else')).toBeVisible();
  await expect(page.getByRole('article')).toHaveCount(1);
  await phone.goto('/my-posts');
  await expect(phone).toHaveURL('/login?next=/my-posts');
});

test('an account that is to be deleted comes back with its owner', async ({ page, author, watch }) => {
  await page.goto('/account/delete');
  await field(page, 'Password').fill(author.password);
  await watch.status(page, 422, () => button(page, 'Delete account').click());
  await expect(page.getByRole('alert')).toContainText('Choose what becomes of your posts');
  await page.getByLabel('Keep them').check();
  await field(page, 'Password').fill(author.password);
  await button(page, 'Delete account').click();
  await expect(notice(page, 'will be deleted in seven days')).toBeVisible();
  await page.getByRole('banner').getByRole('link', { name: 'Log in' }).click();
  await logIn(page, author.username, author.password);
  await expectSignedIn(page, author);
  await page.goto('/account');
  await expect(page.getByText('Deletion of the account undone')).toBeVisible();
  await logOut(page);
});

test('an author takes all of it along', async ({ page, author }) => {
  await page.goto('/account/export');
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download your data').click()]);
  expect(download.suggestedFilename()).toBe(`byline-${author.username}.zip`);
});
