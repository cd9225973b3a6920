import type { Page } from '@playwright/test';
import { call } from './api.ts';
import { Authenticator } from './authenticator.ts';
import { awake, button, field, link, notice, preview } from './page.ts';
import { type Author, fillInSignUp, logIn, logOut, signedUp, someone } from './people.ts';
import { type Text, edit, publish, published, show, type } from './posts.ts';
import { expect } from './test.ts';
import { totp } from './totp.ts';
import type { Watch } from './watch.ts';

/** What it takes to bring a page into one of its states. */
export interface World {
  page: Page;
  visitor: () => Promise<Page>;
  watch: Watch;
  /** One of the demo's authors. */
  maren: Pick<Author, 'username' | 'password'>;
  /** Runs a command of Byline, as whoever runs the site. */
  operate: (...args: string[]) => Promise<string>;
}

const WALK: Text = {
  title: 'The long way to the station',
  content:
    'I left an hour early to *not* arrive an hour early.\n\n' +
    '## What I passed\n\n- the bakery, closed\n- two dogs and one opinion\n\n' +
    '> Slow is a direction.\n\nThe rest is on [the map](https://example.org/map).',
};

const enter = ({ page, maren }: World) =>
  call(page, 'log_in', { identifier: maren.username, password: maren.password });

/** Types, and lets the preview catch up. */
async function typeAndWait(page: Page): Promise<void> {
  await awake(page);
  await type(page, WALK);
  await expect(preview(page)).toContainText('What I passed');
}

/** A newcomer with one post. */
async function walked(page: Page) {
  await signedUp(page);
  return published(page, WALK);
}

/** A newcomer who is put in charge of the site. */
async function inCharge({ page, operate }: World): Promise<void> {
  const author = await signedUp(page);
  await operate('user', 'put-in-charge', author.username);
}

/** Sets a setting of the site, and waits until the site counts by it. */
async function heard({ page, operate }: World, name: string, value: string): Promise<void> {
  await operate('site', 'set', name, value);
  // Whatever is set is heard together, and this one is on every page.
  const mark = `Mark ${Date.now()}`;
  await operate('site', 'set', 'footer-links', `${mark} /mark`);
  await expect.poll(async () => (await page.request.get('/login')).text()).toContain(mark);
  await operate('site', 'unset', 'footer-links');
}

/** A newcomer whose first post waits for approval. */
async function waiting(world: World): Promise<{ id: string }> {
  await heard(world, 'approval', 'first-posts');
  await signedUp(world.page);
  const post = await call<{ id: string }>(world.page, 'create_post', { ...WALK });
  await heard(world, 'approval', 'none');
  return post;
}

/** The editor of a post that another tab has saved in the meantime. */
async function conflict({ page, watch }: World): Promise<void> {
  const post = await walked(page);
  await page.goto(edit(post));
  await call(page, 'update_post', { ...post, version: '1', content: 'Cut short.' });
  await watch.status(page, 409, () => button(page, 'Save changes').click());
}

async function keptAfterLogOut({ page }: World): Promise<void> {
  const author = await signedUp(page);
  await page.goto('/my-posts/new');
  await typeAndWait(page);
  const cookies = await page.context().cookies();
  await call(page, 'log_out', {});
  await page.context().addCookies(cookies);
  await button(page, 'Publish').click();
  await logIn(page, author.username, author.password);
  await expect(notice(page, 'Your text is still here')).toBeVisible();
}

async function offeredDraft({ page }: World): Promise<void> {
  await signedUp(page);
  await page.goto('/my-posts/new');
  await typeAndWait(page);
  await expect(page.getByRole('status').filter({ hasText: 'Draft kept' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('region', { name: 'Unsaved draft' })).toBeVisible();
}

/** On the page of keys: the form for another. */
async function fillInKey(page: Page, name: string, days: string): Promise<void> {
  await field(page, 'Name').fill(name);
  await field(page, 'Days until it expires').fill(days);
}

/** On the page of pictures: adds a file of the site's own. */
async function addPicture(page: Page, name: string, alt: string): Promise<void> {
  await field(page, 'Add a picture').setInputFiles(`../public/${name}`);
  await field(page, 'What it shows (alt text)').fill(alt);
  await button(page, 'Add picture').click();
  await expect(notice(page, 'The picture is added')).toBeVisible();
}

/** Turns two-factor authentication on. */
async function withApp(page: Page): Promise<void> {
  await page.goto('/account/two-factor');
  await button(page, 'Set up').click();
  await field(page, 'Code').fill(totp(await field(page, 'Secret').inputValue()));
  await button(page, 'Turn on').click();
  await expect(page.getByRole('region', { name: 'Your recovery codes' })).toBeVisible();
}

/** A newcomer with a passkey, at the name that passkeys need. */
async function withPasskey({ page }: World): Promise<void> {
  await Authenticator.plugIn(page);
  await page.goto('/signup');
  await page.goto(page.url().replace('127.0.0.1', 'localhost'));
  await fillInSignUp(page, someone());
  await button(page, 'Sign up').click();
  await expect(button(page, 'Log out')).toBeVisible();
  await page.goto(new URL('/account/passkeys', page.url()).href);
  await expect(page.locator('html[data-passkeys]')).toBeAttached();
  await field(page, 'Name').fill('This laptop');
  await button(page, 'Add a passkey').click();
  await expect(page.getByRole('article').getByRole('heading')).toHaveText('This laptop');
}

/** Lists of more than one page; the last has nothing but the post named first. */
async function manyPosts(page: Page) {
  await signedUp(page);
  const last = await published(page, { ...WALK, title: 'Week 0: the plan' });
  for (let week = 1; week <= 20; week += 1) {
    await published(page, { ...WALK, title: `Week ${week} of walking` });
  }
  await page.goto('/my-posts');
  await page.getByRole('link', { name: 'Older posts' }).click();
  await expect(page).toHaveURL(/older=/);
  return last;
}

export type States = Record<string, (world: World) => Promise<unknown>>;

/** Every page in every state it can be in, and the way there. */
export const states: States = {
  'all posts': ({ page }) => page.goto('/'),
  'all posts with news': async ({ page, visitor }) => {
    const writer = await visitor();
    const post = await walked(writer);
    await Promise.all([page.waitForResponse('**/events?*'), page.goto('/')]);
    await call(writer, 'update_post', { ...post, version: '1', content: 'Cut short.' });
    for (let at = 0; at < 3; at += 1) await published(writer, WALK);
    await expect(page.getByRole('link', { name: '3 new posts' })).toBeVisible();
  },
  'post': async ({ page }) => {
    await page.goto('/');
    await page.getByRole('link', { name: 'What the tide table does not say' }).click();
  },
  'post from right to left': async ({ page }) => {
    await page.goto('/');
    await page.locator('h2:has-text("ملاحظات") a').click();
  },
  'sign up': ({ page }) => page.goto('/signup'),
  'sign up with mistakes': async ({ page, watch }) => {
    await page.goto('/signup');
    await fillInSignUp(page, { username: 'two words', email: 'nowhere', password: 'password' });
    await watch.status(page, 422, () => button(page, 'Sign up').click());
  },
  'forgotten password': ({ page }) => page.goto('/forgot-password'),
  'dead link': ({ page }) => page.goto('/reset-password?token=x'),
  'confirm the address': ({ page }) => page.goto('/verify-email?sign_up=x'),
  'dead confirmation': ({ page }) => page.goto('/verify-email?token=x'),
  'dead undoing': ({ page }) => page.goto('/account/email/undo?token=x'),
  'address': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/email');
  },
  'log in': ({ page }) => page.goto('/login?next=/my-posts'),
  'log in with a code': async ({ page }) => {
    const author = await signedUp(page);
    await withApp(page);
    await logOut(page);
    await page.goto('/login');
    await logIn(page, author.username, author.password);
    await expect(field(page, 'Code')).toBeVisible();
  },
  'log in with a wrong code': async ({ page, watch }) => {
    const author = await signedUp(page);
    await withApp(page);
    await logOut(page);
    await page.goto('/login');
    await logIn(page, author.username, author.password);
    await field(page, 'Code').fill('no code');
    await watch.status(page, 422, () => button(page, 'Continue').click());
  },
  'account': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account');
  },
  'profile': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/profile');
  },
  'profile, wrong link': async ({ page, watch }) => {
    await signedUp(page);
    await page.goto('/account/profile');
    await field(page, 'Links').fill('javascript:alert(1)');
    await watch.status(page, 422, () => button(page, 'Save profile').click());
  },
  'password': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/password');
  },
  'no pictures': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/media');
  },
  'pictures': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/media');
    for (const [name, alt] of [['apple-touch-icon.png', 'w'.repeat(200)], ['apple-touch-icon.png', 'The icon']]) {
      await addPicture(page, name, alt);
    }
    const url = await page.locator('.picture a').first().getAttribute('href');
    await published(page, { title: 'With a picture', content: `![The icon](${url})` });
    await page.goto('/account/media');
    await expect(link(page, 'With a picture')).toBeVisible();
  },
  'a picture that is none': async ({ page, watch }) => {
    await signedUp(page);
    await page.goto('/account/media');
    const file = { name: 'icon.png', mimeType: 'image/png', buffer: Buffer.from('<svg/>') };
    await field(page, 'Add a picture').setInputFiles(file);
    await watch.status(page, 422, () => button(page, 'Add picture').click());
  },
  'a picture to be deleted': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/media');
    await addPicture(page, 'apple-touch-icon.png', 'The icon');
    const action = await page.locator('.picture form').getAttribute('action');
    await page.goto(action ?? '');
  },
  'logins': async ({ page }) => {
    const author = await signedUp(page);
    await call(page, 'log_in', { identifier: author.username, password: author.password });
    await page.goto('/account/sessions');
  },
  'export': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/export');
  },
  'deletion': async ({ page, watch }) => {
    await signedUp(page);
    await page.goto('/account/delete');
    await watch.status(page, 422, () => button(page, 'Delete account').click());
  },
  'confirmation of identity': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/confirm?next=/account/export');
  },
  'two-factor off': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/two-factor');
  },
  'two-factor set up': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/two-factor');
    await button(page, 'Set up').click();
    await expect(field(page, 'Secret')).toBeVisible();
  },
  'two-factor turned on': async ({ page }) => {
    await signedUp(page);
    await withApp(page);
  },
  'passkeys without one': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/passkeys');
  },
  'passkeys': withPasskey,
  'passkey to be removed': async (world) => {
    await withPasskey(world);
    await link(world.page, 'Remove').click();
  },
  'log in refused': async ({ page, watch, maren }) => {
    await page.goto('/login');
    await watch.status(page, 422, () => logIn(page, maren.username, 'a wrong one'));
  },
  'logged in without the cookie': ({ page }) => page.goto('/login/done'),
  'my posts': async (world) => {
    await enter(world);
    await world.page.goto('/my-posts');
  },
  'my posts on the first visit': async ({ page }) => {
    await page.goto('/signup');
    await fillInSignUp(page, someone());
    await button(page, 'Sign up').click();
    await expect(notice(page, 'Welcome')).toBeVisible();
  },
  'post of my own': async (world) => {
    await enter(world);
    await states['post']?.(world);
  },
  'new post': async (world) => {
    await enter(world);
    await world.page.goto('/my-posts/new');
  },
  'new post being written': async ({ page }) => {
    await signedUp(page);
    await page.goto('/my-posts/new');
    await typeAndWait(page);
  },
  'new post with mistakes': async (world) => {
    const { page, watch } = world;
    await enter(world);
    await page.goto('/my-posts/new');
    await type(page, { ...WALK, title: '' });
    await watch.status(page, 422, () => button(page, 'Publish').click());
  },
  'draft on offer': offeredDraft,
  'text kept after the session ended': keptAfterLogOut,
  'published': async ({ page }) => {
    await signedUp(page);
    await publish(page, WALK);
    await expect(notice(page, 'published')).toBeVisible();
  },
  'edit': async ({ page }) => page.goto(edit(await walked(page))),
  'edit with mistakes': async ({ page, watch }) => {
    await page.goto(edit(await walked(page)));
    await field(page, 'Title').fill('x'.repeat(201));
    await watch.status(page, 422, () => button(page, 'Save changes').click());
  },
  'edit in conflict': conflict,
  'saved': async ({ page }) => {
    await page.goto(edit(await walked(page)));
    await field(page, 'Title').fill('The longer way to the station');
    await button(page, 'Save changes').click();
    await expect(notice(page, 'saved')).toBeVisible();
  },
  'API keys on the first visit': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/api-keys');
  },
  'API keys': async ({ page }) => {
    await signedUp(page);
    for (const name of ['Reader', 'שעון קיר', 'x'.repeat(60)]) {
      await call(page, 'create_api_key', { name, days: '365' });
    }
    await page.goto('/account/api-keys');
  },
  'API keys with mistakes': async ({ page, watch }) => {
    await signedUp(page);
    await page.goto('/account/api-keys');
    await fillInKey(page, '', '366');
    await watch.status(page, 422, () => button(page, 'Make key').click());
  },
  'new API key': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/api-keys');
    await fillInKey(page, 'A clock on the kitchen wall', '7');
    await button(page, 'Make key').click();
    await expect(field(page, 'Key')).toBeVisible();
  },
  'revoke an API key': async ({ page }) => {
    await signedUp(page);
    await call(page, 'create_api_key', { name: 'x'.repeat(60), days: '7' });
    await page.goto('/account/api-keys');
    await link(page, 'Revoke').click();
    await expect(button(page, 'Revoke key')).toBeVisible();
  },
  'the API': async ({ page }) => {
    await signedUp(page);
    await page.goto('/account/api');
  },
  'delete': async ({ page }) => page.goto(`${show(await walked(page))}/delete`),
  'deleted': async ({ page }) => {
    await page.goto(`${show(await walked(page))}/delete`);
    await button(page, 'Delete post').click();
    await expect(notice(page, 'deleted')).toBeVisible();
  },
  'trash': async ({ page }) => {
    for (let at = 0; at < 2; at += 1) {
      await page.goto(`${show(await walked(page))}/delete`);
      await button(page, 'Delete post').click();
      await expect(notice(page, 'deleted')).toBeVisible();
    }
    await page.goto('/my-posts/trash');
    await expect(button(page, 'Restore').first()).toBeVisible();
  },
  'trash with a hidden post': async ({ page, operate }) => {
    const post = await walked(page);
    await operate('post', 'hide', post.id, '--reason', 'The map has a telephone number that is not yours.');
    await page.goto('/my-posts/trash');
    await expect(page.getByText('Hidden by whoever runs the site')).toBeVisible();
  },
  'about the site': async ({ page, operate }) => {
    await operate('site', 'set', 'about', 'Walks, written down *afterwards*.\n\n## Who\n\nThree people and a dog.');
    await expect.poll(async () => (await page.request.get('/about')).status()).toBe(200);
    await page.goto('/about');
  },
  'report a post': async ({ page, watch }) => {
    const post = await walked(page);
    await call(page, 'log_out', {});
    await page.goto(`/posts/${post.id}`);
    await page.getByRole('link', { name: 'Report' }).click();
    await watch.status(page, 422, () => button(page, 'Send report').click());
    await expect(page.getByRole('alert')).toContainText('Choose what is wrong');
  },
  'admin': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin');
  },
  'admin, settings with mistakes': async (world) => {
    await inCharge(world);
    const { page, watch } = world;
    await page.goto('/admin/settings');
    await page.getByLabel('Time zone').fill('Berlin');
    await page.getByLabel('Accent colour').fill('green');
    await watch.status(page, 422, () => button(page, 'Save settings').click());
    await expect(page.getByRole('alert')).toBeVisible();
  },
  'admin, settings with a file that is no picture': async (world) => {
    await inCharge(world);
    const { page, watch } = world;
    await page.goto('/admin/settings');
    await field(page, 'Logo').setInputFiles('playwright.config.ts');
    await watch.status(page, 422, () => button(page, 'Save logo').click());
    await expect(page.getByRole('alert')).toBeVisible();
  },
  'admin, remove the logo': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/settings/logo/remove');
  },
  'admin, accounts': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/accounts');
  },
  'admin, an account': async (world) => {
    await inCharge(world);
    await world.page.goto(`/admin/accounts/${world.maren.username}`);
  },
  'admin, delete an account': async (world) => {
    await inCharge(world);
    await world.page.goto(`/admin/accounts/${world.maren.username}/delete`);
  },
  'admin, posts': async (world) => {
    await inCharge(world);
    await call(world.page, 'create_post', { ...WALK });
    await world.page.goto('/admin/posts');
  },
  'admin, hide a post': async (world) => {
    await inCharge(world);
    const post = await call<{ id: string }>(world.page, 'create_post', { ...WALK });
    await world.page.goto(`/admin/posts/${post.id}/hide`);
  },
  'my posts, one waits for approval': async (world) => {
    await waiting(world);
    await world.page.goto('/my-posts');
    await expect(world.page.getByRole('region', { name: 'Waiting for approval' })).toBeVisible();
  },
  'edit a post that waits for approval': async (world) => {
    const { id } = await waiting(world);
    await world.page.goto(`/my-posts/${id}/edit`);
  },
  'admin, posts that wait': async (world) => {
    await waiting(world);
    await call(world.page, 'log_out', {});
    await inCharge(world);
    await world.page.goto('/admin/posts/waiting');
  },
  'admin, approve a post': async (world) => {
    const { id } = await waiting(world);
    await call(world.page, 'log_out', {});
    await inCharge(world);
    await world.page.goto(`/admin/posts/${id}/approve`);
  },
  'a site with links at its foot and a style sheet': async ({ page, operate }) => {
    await operate('site', 'set', 'css', 'h1 { letter-spacing: 0.05em } .site-footer a { font-style: italic }');
    await operate('site', 'set', 'footer-links', 'Our code https://example.org/code\nWrite to us mailto:us@example.org\nRules /about#rules');
    await expect.poll(async () => (await page.request.get('/')).text()).toContain('Rules');
    await page.goto('/');
    await operate('site', 'unset', 'css');
    await operate('site', 'unset', 'footer-links');
  },
  'admin, hidden posts': async (world) => {
    await inCharge(world);
    const { id } = await call<{ id: string }>(world.page, 'create_post', { ...WALK });
    await call(world.page, 'admin_hide_post', { id, reason: 'The map has a telephone number.' });
    await world.page.goto('/admin/posts/hidden');
  },
  'admin, reports': async (world) => {
    await inCharge(world);
    const { id } = await call<{ id: string }>(world.page, 'create_post', { ...WALK });
    await call(world.page, 'report_post', { id, reason: 'abuse', detail: 'It names somebody I know.' });
    await world.page.goto('/admin/reports');
  },
  'admin, no reports': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/reports');
  },
  'admin, sweeps': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/sweeps?network=192.0.2.0%2F24&minutes=60');
  },
  'admin, invitations': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/invitations');
    await button(world.page, 'Make a link').click();
    await expect(world.page.getByLabel('Link')).toBeVisible();
  },
  'admin, audit log': async (world) => {
    await inCharge(world);
    await world.page.goto('/admin/audit');
  },
  'empty trash': async ({ page }) => {
    await signedUp(page);
    await page.goto('/my-posts/trash');
  },
  'drafts': async ({ page }) => {
    await signedUp(page);
    await call(page, 'save_draft', { title: '', content: 'Half a' });
    await call(page, 'create_post', { title: 'Later', publish_at: '2035-01-01T10:00:00+01:00' });
    await page.goto('/my-posts/drafts');
    await expect(page.getByRole('article')).toHaveCount(2);
  },
  'no drafts': async ({ page }) => {
    await signedUp(page);
    await page.goto('/my-posts/drafts');
  },
  'editor of a draft': async ({ page }) => {
    await signedUp(page);
    const { id } = await call<{ id: string }>(page, 'save_draft', { title: 'W'.repeat(200), tags: 'x'.repeat(40) });
    await page.goto(`/my-posts/${id}/edit`);
    await expect(button(page, 'Save draft')).toBeVisible();
  },
  'deletion of a draft': async ({ page }) => {
    await signedUp(page);
    const { id } = await call<{ id: string }>(page, 'save_draft', { title: 'Half a', content: '' });
    await page.goto(`/posts/${id}/delete`);
  },
  'versions': async ({ page }) => {
    const post = await walked(page);
    await call(page, 'update_post', { id: post.id, version: '1', title: 'Another', content: 'w'.repeat(300) });
    await page.goto(`/my-posts/${post.id}/revisions?version=1`);
    await expect(button(page, 'Restore this version')).toBeVisible();
  },
  'tag': async ({ page }) => {
    await signedUp(page);
    await call(page, 'create_post', { ...WALK, tags: `${'w'.repeat(40)}, c#, ${'ש'.repeat(30)}` });
    await page.goto(`/tags/${'w'.repeat(40)}`);
    await page.getByRole('main').getByRole('heading', { level: 2 }).first().getByRole('link').click();
    await page.getByRole('link', { name: 'c#' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('c#');
  },
  'search': async ({ page }) => page.goto('/search'),
  'what a search finds': async ({ page }) => {
    await signedUp(page);
    await publish(page, { title: 'Found by everyone', content: 'A word that is **marked**, and 文字 too.' });
    await page.goto('/search?q=mark+found');
    await expect(page.locator('mark').first()).toBeVisible();
  },
  'a search that finds nothing': async ({ page }) => {
    await page.goto('/search?q=nobody-wrote-this');
    await expect(page.getByText('No post has')).toBeVisible();
  },
  'a search for too much': async ({ page }) => {
    await page.goto(`/search?q=${'w'.repeat(120)}`);
    await expect(page.getByText('Leave out some words')).toBeVisible();
  },
  'author': async ({ page, maren }) => page.goto(`/@${maren.username}`),
  'author with a profile': async ({ page }) => {
    const { username } = await signedUp(page);
    await page.goto('/account/profile');
    await field(page, 'Display name').fill('ש'.repeat(60));
    await field(page, 'About you').fill('w'.repeat(160));
    await field(page, 'Links').fill(`https://example.org/${'x'.repeat(150)}`);
    await page.getByRole('main').getByRole('button').first().click();
    await expect(notice(page, 'Your profile is saved')).toBeVisible();
    await page.goto(`/@${username}`);
    await expect(page.getByText(`@${username}`)).toBeVisible();
  },
  'post with contents, notes and formulas': async ({ page }) => {
    await signedUp(page);
    const content = [
      '## One', 'Words[^1] and www.example.org, $a^2 + b^2$.', '## Two', '> [!WARNING]\n> Mind this.',
      '## Three', '- [ ] to do\n- [x] done', '$$\\frac{1}{2}$$', '[^1]: A note.',
    ].join('\n\n');
    await publish(page, { title: 'Everything', content });
  },
  'log out': async ({ page }) => {
    await signedUp(page);
    await page.goto('/logout');
  },
  'logged out': async (world) => {
    await enter(world);
    await world.page.goto('/');
    await logOut(world.page);
  },
  'not found': ({ page, watch }) => watch.status(page, 404, () => page.goto('/no/such/page')),
  'not yours': async ({ page, visitor, watch }) => {
    const post = await walked(await visitor());
    await signedUp(page);
    await watch.status(page, 403, () => page.goto(edit(post)));
  },
  'refused from another site': async ({ page, watch }) => {
    await page.goto('/');
    const target = new URL('/login', page.url());
    await page.route('http://elsewhere.test/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<title>Elsewhere</title><form method="post" action="${target}"><button>Go</button></form>`,
      }),
    );
    await page.goto('http://elsewhere.test/');
    await watch.status(page, 403, () => button(page, 'Go').click());
  },
  'older posts': async ({ page }) => {
    await manyPosts(page);
    await page.goto('/?');
    await page.getByRole('link', { name: 'Older posts' }).click();
    await expect(page.getByRole('link', { name: 'Newer posts' })).toBeVisible();
  },
  'nothing older': async ({ page }) => {
    const { id } = await manyPosts(page);
    await call(page, 'delete_post', { id });
    await page.reload();
    await expect(page.getByRole('main')).toContainText('There is nothing older');
  },
};

/** The same for a site that nobody has written on. */
export const emptySite: States = {
  'empty site': ({ page }) => page.goto('/'),
  'empty site to an author': async ({ page }) => {
    await signedUp(page);
    await page.goto('/');
  },
};
