import { awake, button, expectNoSidewaysScrolling, expectProblem, field, heading, link } from '../support/page.ts';
import { edit, entry, expectInEditor, publish, published, show, type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';

const TITLES = [
  '</textarea><script>window.pwned=1</script>',
  '</title><script>window.pwned=1</script>',
  '"><img src onerror=window.pwned=1>',
  '&lt;b&gt; & <b>bold</b> \'quoted\' {{7*7}}',
];

const CONTENT = [
  '</textarea><script>window.pwned=1</script>',
  '<img src onerror="window.pwned=1"><svg onload="window.pwned=1"></svg>',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe><style>body{display:none}</style>',
  '[a link](javascript:window.pwned=1) and ![an image](javascript:window.pwned=1)',
  '<a href="#main" onclick="window.pwned=1" onfocus="window.pwned=1" autofocus>click</a>',
  '<form action="/logout" method="post"><button>Log me out</button></form>',
  '`</script><!--` &amp; &lt;i&gt; \u202eright to left\u202c \u200b end',
].join('\n\n');

for (const title of TITLES) {
  test(`the title ${title} is text and nothing else`, async ({ page, author, visitor }) => {
    await publish(page, { title, content: CONTENT });
    const path = new URL(page.url()).pathname;
    const reader = await visitor();
    const pwned = () => reader.evaluate(() => 'pwned' in window);

    await reader.goto('/');
    await expect(entry(reader, title)).toBeVisible();
    expect(await pwned()).toBe(false);

    await entry(reader, title).getByRole('heading').getByRole('link').click();
    await expect(reader).toHaveURL(path);
    await expect(reader).toHaveTitle(`${title} – Byline`);
    await expect(heading(reader)).toHaveText(title);
    await expect(reader.getByRole('article').getByRole('button')).toHaveCount(0);
    await reader.getByRole('article').getByText('a link').click();
    await expect(reader).toHaveURL(path);
    expect(await pwned()).toBe(false);

    await link(page, 'Edit').click();
    await expectInEditor(page, { title, content: CONTENT });
    await page.goto(path);
    await link(page, 'Delete post').click();
    await expect(page.getByRole('main')).toContainText(title);
    await page.goto('/my-posts');
    await expect(entry(page, title)).toContainText(author.username);
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
  });
}

test('hostile input is also text when a form comes back with it', async ({ page, author, watch }) => {
  const hostile = '"></textarea></title><script>window.pwned=1</script>';
  await page.goto('/my-posts/new');
  await type(page, { title: hostile.repeat(4), content: hostile });
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expectInEditor(page, { title: hostile.repeat(4), content: hostile });

  await page.goto('/my-posts/new');
  await type(page, { title: '', content: CONTENT });
  await watch.status(page, 422, () => button(page, 'Publish').click());
  await expect(field(page, 'Content')).toHaveValue(CONTENT);
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
});

test('a form on another site cannot act for an author', async ({ page, author, watch }) => {
  const post = await published(page, { title: 'Not from elsewhere', content: 'Mine.' });
  await page.goto(show(post));
  const target = `${page.url()}/delete`;
  await page.route('http://elsewhere.test/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<title>x</title><form method="post" action="${target}"><button>Win a prize</button></form>`,
    }),
  );
  await page.goto('http://elsewhere.test/');
  await watch.status(page, 403, () => button(page, 'Win a prize').click());
  await expect(heading(page)).toBeVisible();
  await page.goto(show(post));
  await expect(heading(page)).toHaveText(post.title);
});

test('a post may have 100,000 characters and not one more', async ({ page, author, watch, javaScriptEnabled }) => {
  // A line break counts as one although forms send two; the letter is sent as twelve bytes.
  const longest = `\n${'𝕭'.repeat(99)}`.repeat(1_000);
  // Typing as much would take the browser many seconds.
  const paste = (text: string) =>
    field(page, 'Content').evaluate((area: HTMLTextAreaElement, text) => (area.value = text), text);

  await page.goto('/my-posts/new');
  await field(page, 'Title').fill('Long');
  await paste(longest);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('Long');

  await link(page, 'Edit').click();
  await expect(field(page, 'Content')).toHaveValue(longest);
  if (javaScriptEnabled) await awake(page);
  await paste(`${longest}!`);
  if (javaScriptEnabled) {
    await button(page, 'Save changes').click();
    await expect(page.getByRole('status').filter({ hasText: 'this one has 100001' })).toBeVisible();
  } else {
    await watch.status(page, 422, () => button(page, 'Save changes').click());
    await expectProblem(page, 'Content', 'this one has 100001');
  }
  await expect(field(page, 'Content')).toHaveValue(`${longest}!`);
});

const WIDE = {
  'a word without an end': { title: 'Donaudampfschifffahrt'.repeat(9), content: 'x'.repeat(3_000) },
  'text from right to left': { title: 'ملاحظات عن الخط والقراءة '.repeat(7).trim(), content: 'مرحبا بالعالم. '.repeat(50) },
  'wide code and tables': {
    title: 'Wide',
    content: `\`${'inline'.repeat(60)}\`\n\n    ${'code '.repeat(60)}\n\n| ${'column | '.repeat(30)}\n|${'---|'.repeat(30)}\n| ${'cell | '.repeat(30)}\n\n<https://example.org/${'path/'.repeat(60)}>`,
  },
};

for (const [what, text] of Object.entries(WIDE)) {
  test(`${what} never scrolls a narrow page sideways`, async ({ page, author, watch }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    const post = await published(page, text);
    for (const path of [show(post), '/', '/my-posts', edit(post), `${show(post)}/delete`]) {
      await page.goto(path);
      await expect(page.getByRole('banner')).toContainText(author.username);
      await expectNoSidewaysScrolling(page);
    }
    await page.goto(edit(post));
    await field(page, 'Title').fill('');
    await watch.status(page, 422, () => button(page, 'Save changes').click());
    await expectNoSidewaysScrolling(page);
  });
}
