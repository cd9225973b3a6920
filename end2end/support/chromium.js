import { existsSync } from 'node:fs';

/** Debian's, the quicker one first. */
const CHROMIUMS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

/** How tests start their browser: Debian's, or else the one that Playwright downloads. */
export const LAUNCH = {
  executablePath: CHROMIUMS.find((path) => existsSync(path)),
  // The browser needs no sandbox for pages of our own, and must keep its
  // hands off the network while it is tested.
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
