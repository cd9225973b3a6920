import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { ENGINE } from './support/server.js';

const DEBIAN_CHROMIUM = '/usr/bin/chromium';

export default defineConfig({
  testDir: 'tests',
  outputDir: `test-results/${ENGINE}`,
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  // Room for a machine that has other things to do.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    // View transitions are for eyes; to a test they are a page that moves.
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: existsSync(DEBIAN_CHROMIUM) ? DEBIAN_CHROMIUM : undefined,
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
    },
  },
  projects: [
    { name: 'with script' },
    { name: 'without script', testIgnore: '**/*.script.spec.ts', use: { javaScriptEnabled: false } },
  ],
});
