import { button, errorSummary, expectProblem, field, heading, link, notice } from '../support/page.ts';
import { expectSignedIn, fillInSignUp, logIn, logOut, someone } from '../support/people.ts';
import { edit, entry, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

test('somebody signs up and is signed in at once', async ({ page }) => {
  const author = someone();
  await page.goto('/');
  await page.getByRole('banner').getByRole('link', { name: 'Sign up' }).click();
  await fillInSignUp(page, author);
  await button(page, 'Sign up').click();

  await expect(page).toHaveURL('/my-posts');
  await expect(notice(page, 'You are signed up and logged in')).toBeVisible();
  await expectSignedIn(page, author);

  await page.reload();
  await expect(notice(page, 'You are signed up')).toBeHidden();
  await expectSignedIn(page, author);
});

test('a sign-up with mistakes comes back and keeps everything but the password', async ({ page, watch }) => {
  await page.goto('/signup');
  await fillInSignUp(page, { username: 'not a name', email: 'nowhere', password: 'password' });
  await watch.status(page, 422, () => button(page, 'Sign up').click());

  await expectProblem(page, 'Username', 'Username can have the letters a to z');
  await expectProblem(page, 'Email', 'Enter an email address in the form name@example.com');
  await expectProblem(page, 'Password', 'common password');
  await expect(field(page, 'Username')).toHaveValue('not a name');
  await expect(field(page, 'Email')).toHaveValue('nowhere');
  await expect(field(page, 'Password')).toHaveValue('');

  await errorSummary(page).getByRole('link', { name: 'Enter an email address' }).click();
  await expect(field(page, 'Email')).toBeFocused();

  const author = someone();
  await fillInSignUp(page, author);
  await button(page, 'Sign up').click();
  await expectSignedIn(page, author);
});

test('a username or an email that is taken cannot be taken again', async ({ author, visitor, watch }) => {
  const other = await visitor();
  await other.goto('/signup');
  await fillInSignUp(other, { ...someone(), username: author.username.toUpperCase() });
  await watch.status(other, 422, () => button(other, 'Sign up').click());
  await expect(field(other, 'Username')).toHaveAttribute('aria-invalid', 'true');

  await fillInSignUp(other, { ...someone(), email: author.email });
  await watch.status(other, 422, () => button(other, 'Sign up').click());
  await expect(field(other, 'Email')).toHaveAttribute('aria-invalid', 'true');
});

test('an author publishes, edits and deletes a post', async ({ page, author }) => {
  await page.goto('/my-posts');
  await expect(page.getByRole('main')).toContainText('You have not published anything yet');
  await link(page, 'New post').click();
  await type(page, { title: 'A first walk', content: 'Along the *river*.' });
  await button(page, 'Publish').click();

  await expect(notice(page, 'Your post is published')).toBeVisible();
  await expect(heading(page)).toHaveText('A first walk');
  await expect(page.getByRole('article').getByText(author.username)).toBeVisible();
  await expect(page.getByRole('emphasis')).toHaveText('river');

  for (const list of ['/', '/my-posts']) {
    await page.goto(list);
    await expect(entry(page, 'A first walk')).toContainText(author.username);
  }

  await entry(page, 'A first walk').getByRole('link', { name: 'Edit' }).click();
  await type(page, { title: 'A second walk', content: 'Back again.' });
  await button(page, 'Save changes').click();
  await expect(notice(page, 'Your changes are saved')).toBeVisible();
  await expect(heading(page)).toHaveText('A second walk');
  await expect(page.getByRole('article')).toContainText('Back again.');

  await link(page, 'Delete post').click();
  await expect(heading(page)).toHaveText('Delete this post?');
  await link(page, 'Keep it').click();
  await expect(heading(page)).toHaveText('A second walk');

  await link(page, 'Delete post').click();
  await button(page, 'Delete post').click();
  await expect(page).toHaveURL('/my-posts');
  await expect(notice(page, 'The post is deleted')).toBeVisible();
  await expect(entry(page, 'A second walk')).toBeHidden();
});

test('a post without a title comes back with its text', async ({ page, author, watch }) => {
  await page.goto('/my-posts/new');
  await type(page, { title: '  ', content: '\nA line, and\n\n  another.' });
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expectProblem(page, 'Title', 'Enter a title');
  await expect(field(page, 'Content')).toHaveValue('\nA line, and\n\n  another.');

  await field(page, 'Title').fill('Now with a title');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('Now with a title');
});

test('an edit without a title comes back, and the post stays as it was', async ({ page, author, watch }) => {
  const post = await published(page, { title: 'Kept', content: 'As it was.' });
  await page.goto(edit(post));
  await type(page, { title: '', content: 'As it might be.' });
  await watch.status(page, 422, () => button(page, 'Save changes').click());
  await expectProblem(page, 'Title', 'Enter a title');
  await expect(field(page, 'Content')).toHaveValue('As it might be.');

  await page.goto(show(post));
  await expect(page.getByRole('article')).toContainText('As it was.');
});

test('an author logs in by username and by email', async ({ page, author }) => {
  for (const identifier of [author.username, author.email]) {
    await page.goto('/');
    await logOut(page);
    await page.getByRole('banner').getByRole('link', { name: 'Log in' }).click();
    await logIn(page, identifier, author.password);
    await expectSignedIn(page, author);
  }
});

test('a wrong password and an unknown name are refused in the same words', async ({ visitor, author, watch }) => {
  const page = await visitor();
  await page.goto('/login');
  const words: string[] = [];
  for (const identifier of [author.username, 'nobody-at-all']) {
    await watch.status(page, 422, () => logIn(page, identifier, 'not the password'));
    await expect(errorSummary(page)).toBeFocused();
    await expect(field(page, 'Username or email')).toHaveValue(identifier);
    await expect(field(page, 'Password')).toHaveValue('');
    words.push(await errorSummary(page).innerText());
  }
  expect(words[0]).toBe(words[1]);
});

test('whoever has to log in first comes back to where they were going', async ({ visitor, author }) => {
  const page = await visitor();
  await page.goto('/my-posts/new');
  await expect(page).toHaveURL('/login?next=/my-posts/new');
  await logIn(page, author.username, author.password);
  await expect(page).toHaveURL('/my-posts/new');
});

test('signing up instead of logging in leads to the same place', async ({ page }) => {
  await page.goto('/login?next=/my-posts/new');
  await link(page, 'Make an account').click();
  await fillInSignUp(page, someone());
  await button(page, 'Sign up').click();
  await expect(page).toHaveURL('/my-posts/new');
});

test('nobody is led to another site after logging in', async ({ visitor, author }) => {
  for (const next of ['https://example.org/', '//example.org', '/\\example.org']) {
    const page = await visitor();
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await logIn(page, author.username, author.password);
    await expect(page).toHaveURL('/my-posts');
  }
});

test('after logging out, going back shows nothing private', async ({ page, author }) => {
  await published(page, { title: 'For everyone, but edited by one', content: '' });
  await page.goto('/my-posts');
  await expectSignedIn(page, author);
  await logOut(page);
  await expect(notice(page, 'You are logged out')).toBeVisible();

  await page.goBack();
  await expect(page).toHaveURL('/login?next=/my-posts');
  await expect(page.getByText(author.username)).toBeHidden();
});
