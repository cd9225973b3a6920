import { test } from '../support/own-server.ts';
import { expect } from '../support/test.ts';

const SHEET = `/* Ours */ @import "https://elsewhere.example/more.css";
@font-face { font-family: Elsewhere; src: url(https://elsewhere.example/face.woff2) }
h1 { font-family: Elsewhere; color: rgb(1, 2, 3) }`;

test('a style sheet of the site counts, and loads no style sheet and no typeface from elsewhere', async ({
  page,
  own,
  watch,
}) => {
  watch.expectPolicyViolations();
  const asked: string[] = [];
  await page.route('https://elsewhere.example/**', (route) => {
    asked.push(route.request().url());
    return route.fulfill({ status: 200, contentType: 'text/css', body: 'h1 { display: none }' });
  });
  await own.run('site', 'set', 'css', SHEET);
  await expect.poll(async () => (await page.request.get('/')).text()).toContain('/assets/site/');
  await page.goto('/');
  const title = page.getByRole('heading', { level: 1 });
  await expect(title).toHaveCSS('color', 'rgb(1, 2, 3)');
  await page.evaluate(() => document.fonts.ready);
  expect(asked).toEqual([]);

  await page.goto('/login');
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveCSS('color', 'rgb(1, 2, 3)');
});
