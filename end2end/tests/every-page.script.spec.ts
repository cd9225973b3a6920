import type { Page } from '@playwright/test';
import { HtmlValidate } from 'html-validate';
import { awake, expectAccessible, expectNoSidewaysScrolling } from '../support/page.ts';
import { ENGINE, Server } from '../support/server.js';
import { type States, type World, emptySite, states } from '../support/states.ts';
import { expect, freshSite, test as base } from '../support/test.ts';

const WIDTHS = [320, 768, 1280];
const THEMES = ['light', 'dark'] as const;

/** What the HTML standard says, nothing about taste. */
const validator = new HtmlValidate({ extends: ['html-validate:standard'] });

interface Fixtures {
  world: World;
  /** The last document, as it came from the server. */
  source: () => Promise<string>;
}

const test = base.extend<Fixtures, { demo: Server }>({
  demo: [
    async ({}, use) => {
      const server = await Server.start('--demo');
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: ({ demo }, use) => use(demo.url),
  source: async ({ page }, use) => {
    let source = Promise.resolve('');
    page.on('response', (response) => {
      const document = response.request().isNavigationRequest() && ![303, 308].includes(response.status());
      if (document) source = response.text();
    });
    await use(() => source);
  },
  world: async ({ page, visitor, watch, demo }, use) => {
    const password = /Password of each: (\S+)/.exec(demo.greeting)?.[1] ?? '';
    const operate = (...args: string[]) => demo.run(...args);
    await use({ page, visitor, watch, maren: { username: 'maren', password }, operate });
  },
});

/** Keeps a picture of the page and has it judged, at every width and in both themes. */
async function judge(page: Page, name: string, source: string): Promise<void> {
  if (await page.locator('leptos-island').count()) await awake(page);
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const path = `artefacts/${ENGINE}/${name} ${width} ${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
      await expectNoSidewaysScrolling(page);
    }
    await expectAccessible(page, `in the ${colorScheme} theme`);
  }
  const { results } = await validator.validateString(source);
  const invalid = results.flatMap(({ messages }) => messages).map(({ message, line }) => `${line}: ${message}`);
  expect.soft(invalid, 'mistakes in the HTML').toEqual([]);
}

function judgeEach(states: States): void {
  for (const [name, reach] of Object.entries(states)) {
    test(`${name}: fit to be seen and heard`, async ({ world, page, source }) => {
      await reach(world);
      await judge(page, name, await source());
    });
  }
}

judgeEach(states);

test.describe('without a post', () => {
  test.use(freshSite);
  judgeEach(emptySite);
});
