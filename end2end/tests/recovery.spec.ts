import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { button, field, heading, link, notice } from '../support/page.ts';
import { fillInSignUp, logIn, logOut, expectSignedIn, someone } from '../support/people.ts';
import { Server } from '../support/server.js';
import { test as base, expect } from '../support/test.ts';

/** A site that writes its mails into a folder. */
const test = base.extend<{ mails: string }>({
  mails: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'byline-mail-'));
    await use(folder);
    await rm(folder, { recursive: true });
  },
  baseURL: async ({ mails }, use) => {
    const server = await Server.start('--mail-transport', `file:${mails}`, '--mail-from', 'byline@example.org');
    await use(server.url);
    await server.stop();
  },
});

/** The newest mail to an address, once there are so many, decoded. */
async function mail(folder: string, to: string, count = 1): Promise<string> {
  let found: string[] = [];
  await expect(async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort();
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
    found = texts.filter((text) => text.includes(`To: ${to}\r\n`));
    expect(found).toHaveLength(count);
  }).toPass();
  const joined = found.at(-1)!.replaceAll('=\r\n', '');
  return joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const linkIn = (text: string, page: string) => new RegExp(`(/${page}\\?token=[\\w-]{43})`).exec(text)![1]!;
const codeIn = (text: string) => /^ {4}(\d{6})\r?$/m.exec(text)![1]!;

test('a person signs up with the code of a mail, forgets the password and sets another', async ({
  page,
  mails,
  watch,
}) => {
  const author = someone();
  await page.goto('/signup');
  await fillInSignUp(page, author);
  await button(page, 'Sign up').click();
  await expect(heading(page)).toHaveText('Confirm your address');
  await expect(page.getByRole('banner').getByRole('link', { name: 'Log in' })).toBeVisible();
  const code = codeIn(await mail(mails, author.email));
  await field(page, 'Code').fill(code === '000000' ? '000001' : '000000');
  await watch.status(page, 422, () => button(page, 'Confirm').click());
  await field(page, 'Code').fill(code);
  await button(page, 'Confirm').click();
  await expectSignedIn(page, author);
  await logOut(page);

  await page.goto('/login');
  await link(page, 'Forgot your password?').click();
  await field(page, 'Username or email').fill(author.username);
  await button(page, 'Send instructions').click();
  await expect(notice(page, 'If there is an account of that name')).toBeVisible();
  const path = linkIn(await mail(mails, author.email, 2), 'reset-password');
  await page.goto(path);
  await field(page, 'New password').fill('some other quiet words');
  await button(page, 'Set password').click();
  await expectSignedIn(page, author);
  await logOut(page);
  await page.goto(path);
  await expect(heading(page)).toHaveText('This link does not work any more');
  await page.goto('/login');
  await watch.status(page, 422, () => logIn(page, author.username, author.password));
  await logIn(page, author.username, 'some other quiet words');
  await expectSignedIn(page, author);
});

test('a person changes their address and takes it back', async ({ page, mails }) => {
  const author = someone();
  await page.goto('/signup');
  await fillInSignUp(page, author);
  await button(page, 'Sign up').click();
  await page.goto(linkIn(await mail(mails, author.email), 'verify-email'));
  await button(page, 'Confirm').click();
  await expectSignedIn(page, author);
  const other = `other-${author.email}`;
  await page.goto('/account/email');
  await field(page, 'Email').fill(other);
  await button(page, 'Change email').click();
  await link(page, 'Enter the code').click();
  await field(page, 'Code').fill(codeIn(await mail(mails, other)));
  await button(page, 'Confirm').click();
  await expect(notice(page, 'Your address is confirmed')).toBeVisible();
  await expect(page.getByRole('main')).toContainText(other);
  await page.goto(linkIn(await mail(mails, author.email, 2), 'account/email/undo'));
  await button(page, 'Undo the change').click();
  await expect(notice(page, 'Your address is restored')).toBeVisible();
  await mail(mails, author.email, 3);
});
