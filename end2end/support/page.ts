import { AxeBuilder } from '@axe-core/playwright';
import { type Locator, type Page, expect } from '@playwright/test';

const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The control with exactly this label. */
export const field = (page: Page, label: string): Locator => page.getByLabel(label, { exact: true });

export const button = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true });

export const link = (page: Page, name: string): Locator =>
  page.getByRole('main').getByRole('link', { name, exact: true });

export const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 });

export const preview = (page: Page): Locator => page.getByRole('region', { name: 'Preview' });

export const notice = (page: Page, sentence: string): Locator =>
  page.getByRole('status').filter({ hasText: sentence });

export const errorSummary = (page: Page): Locator =>
  page.getByRole('alert', { name: 'There is a problem' });

/** The summary has the focus, and the field says the same and is marked as wrong. */
export async function expectProblem(page: Page, label: string, words: string): Promise<void> {
  await expect(errorSummary(page)).toBeFocused();
  await expect(errorSummary(page).getByRole('link', { name: words })).toBeVisible();
  await expect(field(page, label)).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, label)).toHaveAccessibleDescription(new RegExp(`Error: .*${words}`));
  await expect(page).toHaveTitle(/^Error: /);
}

/** Waits until the islands of the page answer to clicks and keys. */
export async function awake(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

/** Axe finds nothing wrong in the page as it is now; `state` is said if it does. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(AXE_TAGS).analyze();
  const said = violations.map(({ help, nodes }) => `${help}: ${nodes.map((node) => node.html).join(' ')}`);
  expect.soft(said, `axe ${state}`).toEqual([]);
}

/** Nothing on the page is wider than its window. */
export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => {
    const page = document.scrollingElement ?? document.documentElement;
    return [page.scrollWidth, page.clientWidth];
  });
  expect(content, 'width of the content').toBeLessThanOrEqual(window);
}
