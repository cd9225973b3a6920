import { defineConfig } from '@playwright/test';
import { LAUNCH } from './support/chromium.js';
import { ENGINE } from './support/server.js';

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
    launchOptions: LAUNCH,
  },
  projects: [
    { name: 'with script' },
    { name: 'without script', testIgnore: '**/*.script.spec.ts', use: { javaScriptEnabled: false } },
  ],
});
