import { call } from '../support/api.ts';
import { awake, button, expectNoSidewaysScrolling, field, heading, preview } from '../support/page.ts';
import { logIn, logOut, signedUp } from '../support/people.ts';
import { edit, expectInEditor, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';
import type { BrowserContext, Page } from '@playwright/test';

const TEXT = { title: 'Half a thought', content: 'It began with' };

const draft = (page: Page) => page.getByRole('region', { name: 'Unsaved drafts' });

/** The entry of one draft. */
const offer = (page: Page, title: string) => draft(page).getByRole('listitem').filter({ hasText: title });

const kept = (page: Page) => page.getByRole('status').filter({ hasText: 'Draft kept' });

/** Opens an editor in a tab of its own and types. */
async function write(context: BrowserContext, path: string, text: { title: string; content: string }): Promise<Page> {
  const tab = await context.newPage();
  await open(tab, path);
  await type(tab, text);
  await expect(kept(tab)).toBeVisible();
  return tab;
}

/** Opens an editor, types, and closes the tab once the draft is kept. */
async function leave(context: BrowserContext, path: string, text = TEXT): Promise<void> {
  const tab = await write(context, path, text);
  await tab.close();
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await awake(page);
}

// Here the site saves no draft by itself, so that what the device keeps is seen;
// autosave.script.spec.ts has the other half.
test.beforeEach(({ context }) => context.route('**/api/save_draft', (route) => route.abort('aborted')));

test('the preview follows the typing', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await field(page, 'Content').pressSequentially('# Plans\n\nSee *the* [map](https://example.org).');
  await expect(preview(page).getByRole('heading', { name: 'Plans' })).toBeVisible();
  await expect(preview(page).getByRole('emphasis')).toHaveText('the');
  await expect(preview(page).getByRole('link', { name: 'map' })).toHaveAttribute('href', 'https://example.org');

  await field(page, 'Content').fill('<img src onerror="window.pwned=1"><script>window.pwned=1</script>Safe');
  await expect(preview(page)).toContainText('Safe');
  await expect(preview(page).getByRole('heading', { name: 'Plans' })).toBeHidden();
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
});

test('a preview that does not come says so, and the text stays and can be published', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await page.route('**/api/preview_post', (route) => route.abort('aborted'));
  await type(page, { title: 'Without a preview', content: 'Some text.' });
  await expect(page.getByRole('status').filter({ hasText: 'No preview' })).toBeVisible();
  await expect(field(page, 'Content')).toHaveValue('Some text.');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('Without a preview');
});

test('the preview shows what was in the form from the start', async ({ page, author }) => {
  const post = await published(page, { title: 'Old', content: 'With **force**' });
  await open(page, edit(post));
  await expect(preview(page).getByRole('strong')).toHaveText('force');
});

test('a draft outlives its tab, is offered, and comes back when asked for', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new');
  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeVisible();
  await expectInEditor(page, { title: '', content: '' });
  await expectNoSidewaysScrolling(page);

  await button(page, 'Restore the draft').click();
  await expectInEditor(page, TEXT);
  await expect(draft(page)).toBeHidden();
  await expect(preview(page)).toContainText(TEXT.content);
});

test('an offered draft waits while something else is typed', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new');
  await open(page, '/my-posts/new');
  await field(page, 'Title').fill('Something else');
  await expect(draft(page)).toBeVisible();
  await page.reload();
  await awake(page);
  // Both are offered, the latest first, and neither takes the other's place.
  await expect(draft(page).getByRole('listitem')).toHaveCount(2);
  await expect(draft(page).getByRole('listitem').first()).toContainText('Something else');
  await offer(page, 'Something else').getByRole('button', { name: 'Restore' }).click();
  await expect(field(page, 'Title')).toHaveValue('Something else');
  await offer(page, TEXT.title).getByRole('button', { name: 'Restore' }).click();
  await expectInEditor(page, TEXT);
  await offer(page, 'Something else').getByRole('button', { name: 'Restore' }).click();
  await expect(field(page, 'Title')).toHaveValue('Something else');
});

test('each tab has a draft of its own', async ({ page, author, context }) => {
  const [one, other] = [
    { title: 'In one tab', content: 'One.' },
    { title: 'In another', content: 'Another.' },
  ];
  const tabs = [await write(context, '/my-posts/new', one), await write(context, '/my-posts/new', other)];
  await open(page, '/my-posts/new');
  await expect(preview(page)).toBeVisible();
  await expect(draft(page), 'what is open elsewhere is not offered').toBeHidden();
  for (const tab of tabs) await tab.close();

  await open(page, '/my-posts/new');
  await expect(draft(page).getByRole('listitem')).toHaveCount(2);
  await expect(offer(page, one.title)).toContainText('4 characters');
  await offer(page, one.title).getByRole('button', { name: 'Discard' }).click();
  await expect(offer(page, one.title)).toBeHidden();
  await offer(page, other.title).getByRole('button', { name: 'Restore' }).click();
  await expectInEditor(page, other);
  await expect(draft(page)).toBeHidden();
});

test('publishing forgets the draft that was published and no other', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new', { title: 'Left behind', content: 'Old.' });
  const elsewhere = await write(context, '/my-posts/new', { title: 'Open elsewhere', content: 'Other.' });
  await open(page, '/my-posts/new');
  await expect(draft(page).getByRole('listitem')).toHaveCount(1);
  await type(page, { title: 'A short post', content: 'Short.' });
  await expect(kept(page)).toBeVisible();
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('A short post');
  await awake(page);

  await elsewhere.close();
  await open(page, '/my-posts/new');
  await expect(offer(page, 'Left behind')).toBeVisible();
  await expect(offer(page, 'Open elsewhere')).toBeVisible();
  await expect(draft(page).getByRole('listitem')).toHaveCount(2);
});

test('a text that was typed after Publish was pressed is still a draft', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await type(page, TEXT);
  await page.evaluate(() => {
    const content = document.querySelector('textarea')!;
    const typeOn = () => {
      content.value = 'And one thing more.';
      content.dispatchEvent(new Event('input', { bubbles: true }));
    };
    content.form!.addEventListener('submit', () => setTimeout(typeOn));
  });
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  await awake(page);
  await open(page, '/my-posts/new');
  await button(page, 'Restore the draft').click();
  await expect(field(page, 'Content')).toHaveValue('And one thing more.');
});

test('drafts that were stored as one are each offered', async ({ page, author }) => {
  await page.goto('/');
  await page.evaluate((username) => {
    const draft = (title: string) => ({ version: 0, title, content: 'Text' });
    const drafts = { current: draft('Newest'), earlier: [draft('Oldest'), draft('Older')] };
    localStorage.setItem(`byline-drafts:${username}:/my-posts/new`, JSON.stringify(drafts));
  }, author.username);
  for (let time = 0; time < 2; time += 1) {
    await open(page, '/my-posts/new');
    await expect(draft(page).getByRole('listitem')).toHaveText([/^Newest/, /^Older/, /^Oldest/]);
  }
});

test('a draft that was kept with title and text alone is offered, and changes nothing else', async ({ page, author }) => {
  await page.goto('/');
  await page.evaluate(
    ([username, text]) => {
      const kept = { draft: { version: 0, ...text }, at: Date.now(), editor: 'gone' };
      localStorage.setItem(`byline-draft:${username}:/my-posts/new:1`, JSON.stringify(kept));
    },
    [author.username, TEXT] as const,
  );
  await open(page, '/my-posts/new');
  await field(page, 'Tags').fill('slow');
  await button(page, 'Restore the draft').click();
  await expectInEditor(page, TEXT);
  await expect(field(page, 'Tags')).toHaveValue('slow');
});

test('a draft that differs in its tags alone is offered until they are saved', async ({ page, author, context }) => {
  const post = await published(page, TEXT);
  const tab = await context.newPage();
  await open(tab, edit(post));
  await field(tab, 'Tags').fill('Slow Days');
  await expect(kept(tab)).toBeVisible();
  await tab.close();

  await open(page, edit(post));
  await button(page, 'Restore the draft').click();
  await expect(field(page, 'Tags')).toHaveValue('Slow Days');
  await button(page, 'Save changes').click();
  await expect(page.getByRole('article').getByRole('link', { name: 'slow-days' })).toBeVisible();
  await awake(page);
  await open(page, edit(post));
  await expect(field(page, 'Tags')).toHaveValue('slow-days');
  await expect(draft(page)).toBeHidden();
});

test('a browser without room says that no draft is kept', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await page.evaluate(() => {
    for (let size = 1 << 22; size > 0; size >>= 1) {
      try {
        for (let at = 0; ; at += 1) localStorage.setItem(`full-${size}-${at}`, 'x'.repeat(size));
      } catch {
        // No room for one more of this size.
      }
    }
  });
  await type(page, TEXT);
  await expect(page.getByRole('status').filter({ hasText: 'No draft is kept' })).toBeVisible();
});

test('a draft of an older version overwrites nothing', async ({ page, author, context, watch }) => {
  const post = await published(page, { title: 'Shared', content: 'First.' });
  await leave(context, edit(post), { title: 'Shared', content: 'My draft.' });
  await call(page, 'update_post', { ...post, version: '1', content: 'Saved meanwhile.' });
  await open(page, edit(post));
  await expect(draft(page)).toContainText('begun from an earlier version');
  await button(page, 'Restore the draft').click();
  await watch.status(page, 409, () => button(page, 'Save changes').click());
  await expect(field(page, 'Saved content')).toHaveValue('Saved meanwhile.');
  await expect(field(page, 'Content')).toHaveValue('My draft.');
});

test('a text that is too long is not sent', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await type(page, { title: 'Long', content: 'x'.repeat(100_001) });
  await button(page, 'Publish').click();
  await expect(page.getByRole('status').filter({ hasText: 'this one has 100001' })).toBeVisible();
  await expect(field(page, 'Content')).toBeFocused();
  await expect(page).toHaveURL('/my-posts/new');
  await field(page, 'Content').fill('Short enough.');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('Long');
});

test('a draft belongs to one post', async ({ page, author, context }) => {
  const post = await published(page, { title: 'Another', content: 'Of its own.' });
  await leave(context, edit(post), { title: 'Another', content: 'Of its own, and more.' });
  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeHidden();
  await open(page, edit(post));
  await expect(draft(page)).toBeVisible();
  await expect(field(page, 'Content')).toHaveValue('Of its own.');
});

test('a draft is shown to nobody else at the same computer', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new');
  await page.goto('/');
  await logOut(page);
  const other = await signedUp(page);
  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeHidden();

  await logOut(page);
  await page.goto('/login?next=/my-posts/new');
  await logIn(page, author.username, author.password);
  await awake(page);
  await expect(page.getByRole('banner')).not.toContainText(other.username);
  await expect(draft(page)).toBeVisible();
});

test('the list of posts tells of the drafts that the device keeps', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new');
  for (const path of ['/my-posts', '/my-posts/drafts']) {
    await page.goto(path);
    const kept = page.getByRole('region', { name: 'Kept on this device, not saved' });
    await expect(kept.getByRole('listitem')).toHaveText([/^Half a thought, 13 characters, /]);
    await expect(kept.getByRole('link', { name: TEXT.title })).toHaveAttribute('href', '/my-posts/new');
  }
  await page.locator('#local-drafts').getByRole('link', { name: TEXT.title }).click();
  await awake(page);
  await button(page, 'Discard the draft').click();
  await page.goto('/my-posts');
  await expect(page.getByRole('region', { name: 'Kept on this device' })).toBeHidden();
});

test('a discarded draft is gone', async ({ page, author, context }) => {
  await leave(context, '/my-posts/new');
  await open(page, '/my-posts/new');
  await button(page, 'Discard the draft').click();
  await expect(draft(page)).toBeHidden();
  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeHidden();
});

test('a published text leaves no draft behind', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await type(page, TEXT);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  await awake(page);

  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeHidden();
  await expectInEditor(page, { title: '', content: '' });
});

test('a text that is saved as a draft at once leaves nothing behind on the device', async ({ page, author }) => {
  await open(page, '/my-posts/new');
  await type(page, TEXT);
  await field(page, 'Tags').fill('Slow Days');
  await button(page, 'Save draft').click();
  await expect(page.getByText('Your draft is saved.')).toBeVisible();
  await awake(page);
  await expectInEditor(page, TEXT);

  for (const path of ['/my-posts', '/my-posts/drafts']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Kept on this device' })).toBeHidden();
  }
  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeHidden();
});

test('a saved edit leaves no draft behind', async ({ page, author }) => {
  const post = await published(page, { title: 'Old', content: 'Old.' });
  await open(page, edit(post));
  await type(page, TEXT);
  await button(page, 'Save changes').click();
  await expect(heading(page)).toHaveText(TEXT.title);
  await awake(page);

  await open(page, edit(post));
  await expect(draft(page)).toBeHidden();
});

test('a text that comes back with an error is still a draft', async ({ page, author, watch }) => {
  await open(page, '/my-posts/new');
  await type(page, { ...TEXT, title: '' });
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await awake(page);
  await expect(draft(page)).toBeHidden();
  await expectInEditor(page, { ...TEXT, title: '' });

  await open(page, '/my-posts/new');
  await expect(draft(page)).toBeVisible();
});

test('a password can be shown and hidden again', async ({ page }) => {
  for (const path of ['/login', '/signup']) {
    await open(page, path);
    const password = field(page, 'Password');
    await password.fill('the quiet words');
    await expect(password).toHaveAttribute('type', 'password');
    await button(page, 'Show password').click();
    await expect(password).toHaveAttribute('type', 'text');
    await expect(password).toHaveValue('the quiet words');
    await button(page, 'Hide password').click();
    await expect(password).toHaveAttribute('type', 'password');
  }
});

test('only pages with an island load WebAssembly', async ({ page, author }) => {
  const loaded: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('.wasm')) loaded.push(new URL(page.url()).pathname);
  });
  const post = await published(page, { title: 'Plain to read', content: 'No script needed.' });

  for (const plain of [show(post), '/my-posts', `${show(post)}/delete`]) {
    await page.goto(plain);
  }
  expect(loaded).toEqual([]);

  await open(page, '/my-posts/new');
  expect(loaded).not.toEqual([]);
});
