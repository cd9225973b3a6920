import { type Page, test as base } from '@playwright/test';
import { type Author, signedUp } from './people.ts';
import { Server } from './server.js';
import { Watch } from './watch.ts';

export { expect } from '@playwright/test';

interface Fixtures {
  /** A newcomer; whoever asks for one is signed in on `page`. */
  author: Author;
  /** Opens a browser of somebody else. */
  visitor: () => Promise<Page>;
  /** Fails the test if the browser has anything to complain about. */
  watch: Watch;
}

/** For `test.use`: a site on which nobody has been before. */
export const freshSite = {
  baseURL: async ({}, use: (url: string) => Promise<void>) => {
    const server = await Server.start();
    await use(server.url);
    await server.stop();
  },
};

interface WorkerFixtures {
  server: Server;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],

  baseURL: ({ server }, use) => use(server.url),

  watch: [
    async ({ context }, use) => {
      const watch = new Watch();
      watch.over(context);
      await use(watch);
      watch.verify();
    },
    { auto: true },
  ],

  author: async ({ page }, use) => use(await signedUp(page)),

  visitor: async ({ browser, watch }, use) => {
    await use(async () => {
      const context = await browser.newContext();
      watch.over(context);
      return context.newPage();
    });
  },
});
