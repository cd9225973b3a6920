import { button, errorSummary, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { logIn } from '../support/people.ts';
import { address, edit, entry, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

test('an author saves a draft on one device and publishes it on another', async ({ page, author, visitor, watch }) => {
  await page.goto('/my-posts/new');
  await type(page, { title: 'Half a thought', content: 'It begins' });
  await field(page, 'Tags').fill('Notes, Slow Days');
  await button(page, 'Save draft').click();
  await expect(notice(page, 'Your draft is saved')).toBeVisible();
  await expect(field(page, 'Tags')).toHaveValue('notes, slow-days');

  const phone = await visitor();
  await phone.goto('/login?next=/my-posts/drafts');
  await logIn(phone, author.username, author.password);
  await expect(phone).toHaveURL('/my-posts/drafts');
  await entry(phone, 'Half a thought').getByRole('heading').getByRole('link').click();
  await expect(field(phone, 'Content')).toHaveValue('It begins');
  await field(phone, 'Title').fill('');
  await watch.status(phone, 422, () => button(phone, 'Publish').click());
  await expectProblem(phone, 'Title', 'Enter a title');
  await type(phone, { title: 'A whole thought', content: 'It begins, and ends.' });
  await button(phone, 'Publish').click();
  await expect(notice(phone, 'Your post is published')).toBeVisible();
  await expect(phone).toHaveURL(`/@${author.username}/a-whole-thought`);

  const reader = await visitor();
  await reader.goto(`/@${author.username}/a-whole-thought`);
  await expect(heading(reader)).toHaveText('A whole thought');
  await reader.getByRole('link', { name: 'slow-days' }).click();
  await expect(entry(reader, 'A whole thought')).toBeVisible();
});

test('an author takes a post back, and nobody else finds it', async ({ page, author, visitor, watch }) => {
  const post = await published(page, { title: 'Too early', content: 'Words.' });
  const reader = await visitor();
  await reader.goto(show(post));
  await expect(reader).toHaveURL(address(post));
  await page.goto(edit(post));
  await button(page, 'Unpublish').click();
  await expect(notice(page, 'The post is a draft again')).toBeVisible();
  for (const path of [address(post), show(post)]) {
    await watch.status(reader, 404, () => reader.goto(path));
  }
  await button(page, 'Publish').click();
  await expect(page).toHaveURL(address(post));
  await reader.goto(address(post));
  await expect(heading(reader)).toHaveText('Too early');
});

test('an author chooses when a post is published', async ({ page, author, watch }) => {
  await page.goto('/my-posts/new');
  await type(page, { title: 'New year', content: 'Happy.' });
  await field(page, 'Publish at').fill('2001-01-01T00:00');
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expect(errorSummary(page)).toContainText('Choose a time to come');
  const year = new Date().getFullYear() + 1;
  await field(page, 'Publish at').fill(`${year}-01-01T00:00`);
  await field(page, 'Time zone').selectOption('UTC+02:00');
  await button(page, 'Publish').click();
  await expect(notice(page, 'Your post is scheduled')).toBeVisible();
  await page.goto('/my-posts/drafts');
  await expect(entry(page, 'New year')).toContainText(`${year}-01-01 00:00 (UTC+02:00)`);
});

test('an author gives a post another address, and the old one leads there', async ({ page, author, visitor }) => {
  const post = await published(page, { title: 'First name', content: '' });
  await page.goto(edit(post));
  await field(page, 'Address').fill('Better name');
  await button(page, 'Save changes').click();
  await expect(page).toHaveURL(`/@${author.username}/better-name`);
  const reader = await visitor();
  await reader.goto(address(post));
  await expect(reader).toHaveURL(`/@${author.username}/better-name`);
});

test('an author compares versions and takes an earlier one back', async ({ page, author }) => {
  const post = await published(page, { title: 'Title', content: 'The quick brown fox.' });
  await page.goto(edit(post));
  await type(page, { title: 'Title', content: 'The quick red fox.' });
  await button(page, 'Save changes').click();
  await expect(notice(page, 'Your changes are saved')).toBeVisible();
  await page.goto(`/my-posts/${post.id}/revisions`);
  await link(page, 'Compare with the present one').click();
  await expect(page.getByRole('region', { name: 'Version 1 and the present one' })).toContainText('brown');
  await button(page, 'Restore this version').click();
  await expect(notice(page, 'The earlier version is back')).toBeVisible();
  await expect(page.getByRole('article')).toContainText('The quick brown fox.');
});
