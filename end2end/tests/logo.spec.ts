import { readFileSync } from 'node:fs';
import { test } from '../support/own-server.ts';
import { button, field, notice } from '../support/page.ts';
import { signedUp } from '../support/people.ts';
import { expect } from '../support/test.ts';

test('whoever is in charge gives the site a logo, readers see it, and it goes again', async ({
  page,
  own,
  visitor,
  watch,
}) => {
  const author = await signedUp(page);
  await own.run('user', 'put-in-charge', author.username);
  await page.goto('/admin/settings');
  await field(page, 'Logo').setInputFiles({
    name: 'logo.svg',
    mimeType: 'image/svg+xml',
    buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
  });
  await watch.status(page, 422, () => button(page, 'Save logo').click());
  await expect(page.getByRole('alert')).toContainText('An SVG is not taken');
  await field(page, 'Logo').setInputFiles({
    name: 'logo.png',
    mimeType: 'image/png',
    buffer: readFileSync('../public/apple-touch-icon.png'),
  });
  await button(page, 'Save logo').click();
  await expect(notice(page, 'The picture is saved')).toBeVisible();

  const reader = await visitor();
  for (const [path, height] of [['/login', 32], ['/', 64]] as const) {
    await reader.goto(new URL(path, page.url()).href);
    const logo = reader.getByRole('img', { name: 'Byline' }).filter({ visible: true });
    await expect(logo).toHaveCount(1);
    await expect(logo).toHaveJSProperty('complete', true);
    await expect(logo).not.toHaveJSProperty('naturalWidth', 0);
    await expect(logo).toHaveJSProperty('height', height);
  }

  await button(page, 'Remove logo').click();
  await expect(notice(page, 'The picture is removed')).toBeVisible();
  await reader.reload();
  await expect(reader.getByRole('heading', { level: 1 })).toHaveText('Byline');
});
