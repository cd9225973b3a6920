import { button, errorSummary, expectNoSidewaysScrolling, field, heading } from '../support/page.ts';
import { edit, expectInEditor, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

const THEIRS = { title: 'Saved first', content: 'The text of the first tab.' };
const OURS = { title: 'Saved second', content: 'The text of the second tab.' };

test('of two tabs the second to save sees both texts and decides', async ({ page, author, context, watch }) => {
  const post = await published(page, { title: 'As it began', content: 'The first text.' });
  const second = await context.newPage();
  await page.goto(edit(post));
  await second.goto(edit(post));

  await type(page, THEIRS);
  await button(page, 'Save changes').click();
  await expect(heading(page)).toHaveText(THEIRS.title);

  await type(second, OURS);
  await watch.status(second, 409, () => button(second, 'Save changes').click());
  await expect(errorSummary(second)).toBeFocused();
  await expect(errorSummary(second)).toContainText('This post was changed after you opened it');
  await expectInEditor(second, OURS);
  await expect(field(second, 'Saved title')).toHaveValue(THEIRS.title);
  await expect(field(second, 'Saved content')).toHaveValue(THEIRS.content);
  await expectNoSidewaysScrolling(second);

  await page.goto(show(post));
  await expect(page.getByRole('article')).toContainText(THEIRS.content);

  await button(second, 'Save changes').click();
  await expect(heading(second)).toHaveText(OURS.title);
  await expect(second.getByRole('article')).toContainText(OURS.content);
});

test('a conflict can end by keeping the other text', async ({ page, author, context, watch }) => {
  const post = await published(page, { title: 'As it began', content: 'The first text.' });
  const second = await context.newPage();
  await second.goto(edit(post));
  await page.goto(edit(post));
  await type(page, THEIRS);
  await button(page, 'Save changes').click();
  await expect(heading(page)).toHaveText(THEIRS.title);

  await type(second, OURS);
  await watch.status(second, 409, () => button(second, 'Save changes').click());
  await second.getByRole('link', { name: 'Cancel' }).click();
  await expect(heading(second)).toHaveText(THEIRS.title);
});

test('a post deleted in another tab is not brought back by saving', async ({ page, author, context, watch }) => {
  const post = await published(page, { title: 'Soon gone', content: 'The first text.' });
  const second = await context.newPage();
  await second.goto(edit(post));
  await page.goto(`${show(post)}/delete`);
  await button(page, 'Delete post').click();
  await expect(page).toHaveURL('/my-posts');

  await type(second, OURS);
  await watch.status(second, 404, () => button(second, 'Save changes').click());
  await expect(heading(second)).toHaveText('Page not found');
});
