import { join } from 'node:path';
import { test } from 'node:test';
import { open } from '../browser/open.js';
import { site, someone } from '../support/site.js';

/** After every sign-up these forms ask for a code, whatever the answer said. */
test('whoever signs up by the forms of aws-amplify-react ends up signed in', async (context) => {
  const { page, close } = await open(join(import.meta.dirname, 'page.js'), await site('plain'));
  context.after(close);
  page.setDefaultTimeout(20_000);
  const press = (name) => page.getByText(name, { exact: true }).click();
  const me = someone();

  await press('Create account');
  await page.locator('[name=username]').fill(me.username);
  await page.locator('[name=password]').fill(me.password);
  await page.locator('[name=email]').fill(me.email);
  await page.locator('[name=phone_line_number]').fill('5550100');
  await press('Create Account');

  await press('Resend Code');
  await page.locator('[name=code]').fill('123456');
  await press('Confirm');

  await page.locator('[name=username]').fill(me.username);
  await page.locator('[name=password]').fill(me.password);
  await press('Sign In');
  // Offered for an address that nobody has verified.
  await press('Skip');
  await page.getByRole('heading', { name: `Welcome, ${me.username}` }).waitFor();
});
