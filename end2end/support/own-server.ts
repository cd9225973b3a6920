import { Server } from './server.js';
import { test as base } from './test.ts';

/** Tests that change the whole site: each worker has a site of its own. */
export const test = base.extend<{}, { own: Server }>({
  own: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: ({ own }, use) => use(own.url),
});
