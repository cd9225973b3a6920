import { type Server as HttpServer, createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Locator, Page, WebSocket } from '@playwright/test';
import { bundle } from '../classic/build.js';
import { button, field } from '../support/page.ts';
import { type Author, someone } from '../support/people.ts';
import { Server } from '../support/server.js';
import { test as base, expect } from '../support/test.ts';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Serves the files of a folder, as any host of static files does. */
async function host(folder: string): Promise<HttpServer> {
  const server = createServer(async (request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url ?? '';
    try {
      const file = await readFile(join(folder, path));
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      response.end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/** A front end from a tutorial, on an origin of its own. */
const test = base.extend<{}, { frontEnd: string }>({
  frontEnd: [
    async ({ server }: { server: Server }, use: (url: string) => Promise<void>) => {
      const folder = await mkdtemp(join(tmpdir(), 'byline-classic-'));
      await server.run('api-key', 'create', '--public');
      await server.run('codegen', '--out', join(folder, 'src'));
      await bundle(folder);
      const files = await host(join(folder, 'public'));
      await use(`http://127.0.0.1:${(files.address() as AddressInfo).port}/`);
      files.closeAllConnections();
      files.close();
      await rm(folder, { recursive: true });
    },
    { scope: 'worker' },
  ],
});

const post = (page: Page, title: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

/** Opens the list of all posts and waits until the server has said that it tells of new ones. */
async function openLive(page: Page, url: string): Promise<void> {
  const listening = page.waitForEvent('websocket').then((socket: WebSocket) =>
    socket.waitForEvent('framereceived', ({ payload }) => String(payload).includes('"start_ack"')),
  );
  await Promise.all([listening, page.goto(url)]);
}

/** By Amplify's own form, which asks for a telephone number too. */
async function signUp(page: Page, { username, email, password }: Author): Promise<void> {
  await button(page, 'My posts').click();
  await button(page, 'Create account').click();
  // The form may be made anew once it has loaded, and is empty then.
  await expect(async () => {
    await page.getByLabel('Username *').fill(username);
    await page.getByLabel('Password *').fill(password);
    await page.getByLabel('Email Address *').fill(email);
    await page.getByPlaceholder('(555) 555-1212').fill('5550100');
    await expect(page.getByLabel('Username *')).toHaveValue(username, { timeout: 100 });
  }).toPass();
  await button(page, 'Create Account').click();
  await skipVerification(page);
}

/** What the form offers after each login with an address that nobody has verified. */
async function skipVerification(page: Page): Promise<void> {
  const skip = button(page, 'Skip');
  await expect(skip).toBeVisible();
  // The form may be shown before it listens.
  await expect(async () => {
    if (await skip.isVisible()) await skip.click({ timeout: 1000 });
    await expect(skip).toBeHidden({ timeout: 500 });
  }).toPass();
}

async function save(page: Page, title: string, content: string): Promise<void> {
  await field(page, 'Title').fill(title);
  await field(page, 'Content').fill(content);
  await button(page, 'Save').click();
}

test('a front end from a tutorial works with nothing but the files that the site gives it', async ({
  page,
  frontEnd,
  visitor,
}) => {
  const reader = await visitor();
  await openLive(reader, frontEnd);

  const me = someone();
  await page.goto(frontEnd);
  await signUp(page, me);
  await save(page, 'From a tutorial', 'It says to write this.');
  await expect(post(page, 'From a tutorial')).toContainText('It says to write this.');

  // The reader's page was there before the post.
  await expect(post(reader, 'From a tutorial')).toContainText(me.username);

  const other = await visitor();
  await other.goto(frontEnd);
  await signUp(other, someone());
  await save(other, 'By somebody else', '');
  await expect(post(other, 'By somebody else')).toBeVisible();
  await expect(post(other, 'From a tutorial')).toHaveCount(0);
  await expect(post(reader, 'By somebody else')).toBeVisible();

  await post(page, 'From a tutorial').getByRole('button', { name: 'Edit' }).click();
  await save(page, 'From a tutorial, mended', 'And that.');
  await expect(post(page, 'From a tutorial, mended')).toContainText('And that.');
  await expect(page.getByRole('listitem')).toHaveCount(1);
  await button(page, 'All posts').click();
  await expect(post(page, 'By somebody else')).toBeVisible();
  await expect(post(page, 'From a tutorial, mended')).toContainText(me.username);
});

test('whoever has signed in stays so over a reload, until they sign out', async ({ page, frontEnd }) => {
  const me = someone();
  await page.goto(frontEnd);
  await signUp(page, me);
  await save(page, 'Still here', '');
  await expect(post(page, 'Still here')).toBeVisible();

  await page.reload();
  await button(page, 'My posts').click();
  await expect(post(page, 'Still here')).toBeVisible();

  await button(page, 'Sign Out').click();
  await page.getByLabel('Username *').fill(me.username);
  await page.getByLabel('Password *').fill(me.password);
  await button(page, 'Sign In').click();
  await skipVerification(page);
  await post(page, 'Still here').getByRole('button', { name: 'Delete' }).click();
  await expect(post(page, 'Still here')).toHaveCount(0);
});
