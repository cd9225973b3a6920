import { awake, button, expectNoSidewaysScrolling, field, heading, preview } from '../support/page.ts';
import { type } from '../support/posts.ts';
import { expect, test } from '../support/test.ts';
import type { Page } from '@playwright/test';

async function open(page: Page, path = '/my-posts/new'): Promise<void> {
  await page.goto(path);
  await awake(page);
  await expect(page.locator('form[data-ready]')).toBeAttached();
}

const content = (page: Page) => field(page, 'Content');

const toolbar = (page: Page) => page.getByRole('toolbar', { name: 'Formatting' });

const select = (page: Page, start: number, end: number) =>
  content(page).evaluate(
    (area, [from, to]) => {
      (area as HTMLTextAreaElement).focus();
      (area as HTMLTextAreaElement).setSelectionRange(from, to);
    },
    [start, end],
  );

/** As somebody who pastes: `types` maps a media type to its text. Whether the browser is left to do it. */
const paste = (page: Page, types: Record<string, string>) =>
  content(page).evaluate((area, entries) => {
    const clipboardData = new DataTransfer();
    for (const [kind, text] of Object.entries(entries)) clipboardData.setData(kind, text);
    return area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, types);

test('the author finds the focus in the title of a new post, and every button in sight', async ({ page, author }) => {
  await open(page);
  await expect(field(page, 'Title')).toBeFocused();
  await content(page).fill('A line.\n\n'.repeat(200));
  for (const name of ['Save draft', 'Publish']) await expect(button(page, name)).toBeInViewport();
});

test('the author sees words and minutes, and the title in the preview', async ({ page, author }) => {
  await open(page);
  await type(page, { title: 'Plans', content: 'One two three.' });
  await expect(page.getByText('3 words, 1 min')).toBeVisible();
  await expect(preview(page).getByText('Plans')).toBeVisible();
});

test('the author of a small window changes between text and preview by keys', async ({ page, author }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page);
  await content(page).fill('With **force**');
  const panel = page.getByRole('tabpanel', { name: 'Preview' });
  await expect(panel).toBeHidden();
  await page.getByRole('tab', { name: 'Write' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('tab', { name: 'Preview' })).toBeFocused();
  await expect(panel.getByRole('strong')).toHaveText('force');
  await expect(content(page)).toBeHidden();
  await expectNoSidewaysScrolling(page);
  await page.keyboard.press('ArrowLeft');
  await expect(content(page)).toBeVisible();
  await expect(button(page, 'Publish')).toBeInViewport();
});

test('the toolbar is one stop of the Tab key, and arrows move in it', async ({ page, author }) => {
  await open(page);
  await field(page, 'Title').focus();
  await page.keyboard.press('Tab');
  await expect(toolbar(page).getByRole('button', { name: 'Bold' })).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(toolbar(page).getByRole('button', { name: 'Italic' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(field(page, 'Add a picture')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(toolbar(page).getByRole('button', { name: 'Bold' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(content(page), 'Tab leaves the toolbar').toBeFocused();
  await page.keyboard.press('Tab');
  await expect(content(page), 'Tab leaves the text').not.toBeFocused();
});

test('bold by the keyboard can be undone as everything that was typed', async ({ page, author }) => {
  await open(page);
  await content(page).pressSequentially('a 😀 word');
  await select(page, 5, 9);
  await page.keyboard.press('Control+b');
  await expect(content(page)).toHaveValue('a 😀 **word**');
  await page.keyboard.press('Control+z');
  await expect(content(page)).toHaveValue('a 😀 word');
  await select(page, 5, 9);
  await page.keyboard.press('Control+i');
  await page.keyboard.press('Control+b');
  await expect(content(page)).toHaveValue('a 😀 ***word***');
  await expect(preview(page).getByRole('strong')).toHaveText('word');
});

test('a button of the toolbar changes the text and keeps the selection', async ({ page, author }) => {
  await open(page);
  await content(page).fill('one\ntwo');
  await select(page, 0, 7);
  await toolbar(page).getByRole('button', { name: 'Numbered list' }).click();
  await expect(content(page)).toHaveValue('1. one\n2. two');
  await expect(content(page)).toBeFocused();
  await toolbar(page).getByRole('button', { name: 'Quote' }).click();
  await expect(content(page)).toHaveValue('> 1. one\n> 2. two');
});

test('Enter goes on with a list and ends it at an empty item', async ({ page, author }) => {
  await open(page);
  await content(page).pressSequentially('- one\ntwo\n\nEnd');
  await expect(content(page)).toHaveValue('- one\n- two\nEnd');
});

test('Ctrl+Enter publishes', async ({ page, author }) => {
  await open(page);
  await type(page, { title: 'By the keyboard', content: 'Text.' });
  await page.keyboard.press('Control+Enter');
  await expect(heading(page)).toHaveText('By the keyboard');
});

test('a link that is pasted over words makes them a link', async ({ page, author }) => {
  await open(page);
  await content(page).fill('see here');
  await select(page, 4, 8);
  await paste(page, { 'text/plain': 'https://example.org/a' });
  await expect(content(page)).toHaveValue('see [here](https://example.org/a)');
});

test('rich text is pasted as Markdown, and no script of it runs', async ({ page, author, watch }) => {
  await open(page);
  // The browser tells of each attribute that the policy keeps from doing anything.
  watch.expectPolicyViolations();
  await content(page).focus();
  await paste(page, {
    'text/plain': 'plain',
    'text/html': `<h1>Plans</h1><p>We <b>will</b> <i>go</i> to <a href="https://example.org">the map</a> * 2.</p>
      <script>window.pwned = 1</script><img src="/nowhere" onerror="window.pwned = 1">
      <ul><li>one<ul><li>inner</li></ul></li><li><p>two</p></li></ul><ol start="3"><li>three</li></ol>
      <blockquote><p>said</p><p>twice</p></blockquote><pre>let a = "\`";\n</pre>
      <table><tr><th>a</th><th>b</th></tr><tr><td>1|</td><td><code>2</code></td></tr></table>
      <p style="font-weight:normal"><b style="font-weight:normal">not bold</b><br>next</p>`,
  });
  await expect(content(page)).toHaveValue(
    [
      '## Plans',
      'We **will** *go* to [the map](https://example.org) \\* 2.',
      '- one\n  - inner\n- two',
      '3. three',
      '> said\n>\n> twice',
      '```\nlet a = "`";\n```',
      '| a | b |\n| --- | --- |\n| 1\\| | `2` |',
      'not bold\\\nnext',
    ].join('\n\n'),
  );
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
});

test('tables and pictures are pasted with all that Markdown has for them', async ({ page, author, watch }) => {
  await open(page);
  watch.expectPolicyViolations();
  await content(page).focus();
  await paste(page, {
    'text/plain': 'plain',
    'text/html': `<table><thead><tr><th>Name</th><th colspan="2">Sizes</th></tr></thead>
      <tr><td>a<br>b</td><td style="text-align: right">1</td><td><p style="text-align:center">2</p></td></tr>
      <tr><td><table><tr><td>inner</td></tr></table></td><td align="right">3</td><td><p style="text-align:center">4</p></td></tr></table>
      <table><tr><td><h2>Layout</h2><p>Text.</p></td></tr></table>
      <p>See <img src="https://example.org/a (1).png" alt="a [cat]"> and <img src="data:image/png;base64,AA">
      <img src="https://example.org/count.gif" width="1" height="1">.</p>`,
  });
  await expect(content(page)).toHaveValue(
    [
      '| Name | Sizes |  |\n| --- | --: | :-: |\n| a b | 1 | 2 |\n| inner | 3 | 4 |',
      '## Layout',
      'Text.',
      'See ![a \\[cat\\]](<https://example.org/a%20(1).png>) and .',
    ].join('\n\n'),
  );
});

test('what other programs copy is pasted with its meaning', async ({ page, author, watch }) => {
  watch.expectPolicyViolations();
  for (const [html, expected] of [
    ['<pre>one<br>two</pre>', '```\none\ntwo\n```'],
    ['<pre><code><div>let a;</div><div>let b;</div></code></pre>', '```\nlet a;\nlet b;\n```'],
    ['<p>x<sup>2</sup>, H<sub>2</sub>O</p>', 'x<sup>2</sup>, H<sub>2</sub>O'],
    ['<ul><li><input type="checkbox" checked> done</li><li><input type="checkbox"> open</li></ul>', '- [x] done\n- [ ] open'],
    ['<p><strike>old</strike> <span style="text-decoration:line-through">gone</span></p>', '~~old~~ ~~gone~~'],
    ['<p class="MsoListParagraph">·&nbsp; First</p><p class="MsoListParagraph">2.&nbsp; Second</p>', '- First\n\n2. Second'],
    [
      '<table><tr><th>Name</th><th>Sum</th></tr><tr><td rowspan="2">A</td><td>1</td></tr><tr><td>2</td></tr></table>',
      '| Name | Sum |\n| --- | --- |\n| A | 1 |\n|  | 2 |',
    ],
    // Where signs would not be taken as emphasis.
    ['<p><b>注意：</b>これは<b>「重要」</b>です。</p>', '<strong>注意：</strong>これは<strong>「重要」</strong>です。'],
    ['<p><b>Note:</b> a<b>b</b>c <i><b>both</b></i></p>', '**Note:** a**b**c ***both***'],
    ['<p><b>x</b> Wow!<a href="https://example.org">link</a></p>', '**x** Wow\\![link](https://example.org)'],
    ['<p><b>x</b> $HOME$ &amp;copy; ~~no~~</p>', '**x** \\$HOME\\$ \\&copy; \\~\\~no\\~\\~'],
    ['<p><code>vec![1, 2]</code> <b>x</b></p>', '`vec![1, 2]` **x**'],
    ['<p><b>x</b> for $5<br>---</p>', '**x** for $5\\\n\\---'],
  ]) {
    await open(page);
    await content(page).focus();
    await paste(page, { 'text/plain': 'plain', 'text/html': html });
    await expect(content(page), html).toHaveValue(expected);
    await content(page).fill('');
  }
});

test('text without any form is pasted as the browser does it', async ({ page, author }) => {
  await open(page);
  await content(page).focus();
  expect(await paste(page, { 'text/plain': 'a * b', 'text/html': '<span>a * b</span>' })).toBe(true);
});

test('what is pasted into a block of code stays as it is', async ({ page, author }) => {
  await open(page);
  await content(page).fill('```js\n\n```\n');
  await select(page, 6, 6);
  expect(await paste(page, { 'text/plain': 'a_b * c', 'text/html': '<pre>a_b * c</pre>' })).toBe(true);
});

const PICTURE = { name: 'sea.png', mimeType: 'image/png', buffer: Buffer.from('a picture') };

test('a picture is uploaded, appears where it was added, and gets its description', async ({ page, author }) => {
  await open(page);
  await content(page).fill('Before.');
  await select(page, 7, 7);
  let answer = () => {};
  const typed = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/api/upload_media', async (route) => {
    expect(route.request().postData()).toContain('name="file"; filename="sea.png"');
    await typed;
    await route.fulfill({ json: { id: '1', url: '/media/1/sea.png', width: 2, height: 1 } });
  });
  // The preview shows the picture.
  await page.route('**/media/**', (route) => route.fulfill({ contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' }));
  await field(page, 'Add a picture').setInputFiles(PICTURE);
  await expect(content(page)).toHaveValue('Before.\n[Uploading sea.png…]\n');
  await select(page, 0, 0);
  await page.keyboard.type('Moved. ');
  answer();
  await expect(content(page)).toHaveValue('Moved. Before.\n![](/media/1/sea.png)\n');
  await page.getByRole('textbox', { name: 'What is on the picture?' }).fill('The [sea]');
  await button(page, 'Add the description').click();
  await expect(content(page)).toHaveValue('Moved. Before.\n![The \\[sea\\]](/media/1/sea.png)\n');
  await expect(page.getByRole('textbox', { name: 'What is on the picture?' })).toBeHidden();
});

test('a picture that is refused leaves no trace in the text, and the reason is said', async ({ page, author, watch }) => {
  await open(page);
  await content(page).fill('Before.\n');
  await page.route('**/api/upload_media', (route) =>
    route.fulfill({ status: 422, json: { code: 'invalid', errors: [{ field: 'file', message: 'This is no picture' }] } }),
  );
  watch.expectStatus(422);
  await field(page, 'Add a picture').setInputFiles(PICTURE);
  const reason = page.getByRole('alert').filter({ hasText: 'sea.png was not added: This is no picture.' });
  await expect(reason).toBeVisible();
  await expect(content(page)).toHaveValue('Before.\n');
  await content(page).pressSequentially('More.');
  await expect(page.getByRole('status').filter({ hasText: /^Saved \d/ })).toBeVisible();
  await expect(reason, 'a save takes it not away').toBeVisible();
});

test('a post is published with the picture that was still on its way, and not without it', async ({ page, author, watch }) => {
  await open(page);
  await field(page, 'Title').fill('Patience');
  await content(page).fill('keep this');
  await select(page, 0, 9);
  const answers: (() => void)[] = [];
  let isRefused = true;
  await page.route('**/api/upload_media', async (route) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    if (isRefused) return route.fulfill({ status: 422, json: { code: 'invalid', errors: [{ field: 'file', message: 'This is no picture' }] } });
    return route.fulfill({ json: { id: '1', url: '/media/1/sea.png', width: 2, height: 1 } });
  });
  await page.route('**/media/**', (route) => route.fulfill({ contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' }));
  const waits = page.getByRole('status').filter({ hasText: 'The picture is still on its way.' });

  watch.expectStatus(422);
  await field(page, 'Add a picture').setInputFiles(PICTURE);
  await expect.poll(() => answers.length).toBe(1);
  await button(page, 'Publish').click();
  await expect(waits).toBeVisible();
  answers[0]();
  await expect(page.getByRole('alert').filter({ hasText: 'sea.png was not added' })).toBeVisible();
  await expect(content(page), 'what was selected is there').toHaveValue('keep this\n');
  await expect(page).toHaveURL(/\/my-posts\//);

  isRefused = false;
  await field(page, 'Add a picture').setInputFiles(PICTURE);
  await expect.poll(() => answers.length).toBe(2);
  await button(page, 'Publish').click();
  await expect(waits).toBeVisible();
  answers[1]();
  await expect(heading(page)).toHaveText('Patience');
  await expect(page.getByRole('article').locator('img[src="/media/1/sea.png"]')).toHaveCount(1);
  await expect(page.getByRole('article')).not.toContainText('Uploading');
});

/** PNGs of one color each, as other programs hand them over: 2 × 1 pixels. */
const PNGS = {
  red: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR42mM4wcAARAAHDwGR79L7OgAAAABJRU5ErkJggg==',
  blue: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR42mNgYDgBRAAD7wGRGrfolQAAAABJRU5ErkJggg==',
};

/** As somebody who pastes or drops files. */
const hand = (page: Page, kind: 'paste' | 'drop', files: Record<string, string>) =>
  content(page).evaluate(
    (area, [kind, entries]) => {
      const transfer = new DataTransfer();
      for (const [name, base64] of Object.entries(entries)) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], `${name}.png`, { type: 'image/png' }));
      }
      const how = { bubbles: true, cancelable: true };
      area.dispatchEvent(
        kind === 'paste'
          ? new ClipboardEvent('paste', { ...how, clipboardData: transfer })
          : new DragEvent('drop', { ...how, dataTransfer: transfer }),
      );
    },
    [kind, files] as const,
  );

/** Publishes and expects that readers see that many pictures. */
async function publishWithPictures(page: Page, count: number): Promise<void> {
  await field(page, 'Title').fill('With pictures');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('With pictures');
  const shown = page.getByRole('article').locator('img[src^="/media/"]');
  await expect(shown).toHaveCount(count);
  for (const picture of await shown.all()) {
    await picture.scrollIntoViewIfNeeded();
    await expect.poll(() => picture.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
  }
}

for (const how of ['paste', 'drop'] as const) {
  test(`readers see a picture that its author added by ${how}`, async ({ page, author }) => {
    await open(page);
    await content(page).focus();
    await hand(page, how, { red: PNGS.red });
    await expect(content(page)).toHaveValue(/^!\[\]\(\/media\/[0-9a-f]{40}-2x1\.png\)\n$/);
    await publishWithPictures(page, 1);
  });
}

test('readers see both of two pictures that their author dropped at once', async ({ page, author }) => {
  await open(page);
  // The site reads one picture of an author at a time, and refuses another meanwhile.
  let [underWay, most] = [0, 0];
  await page.route('**/api/upload_media', async (route) => {
    underWay += 1;
    most = Math.max(most, underWay);
    const response = await route.fetch();
    underWay -= 1;
    await route.fulfill({ response });
  });
  await content(page).focus();
  await hand(page, 'drop', PNGS);
  const one = String.raw`!\[\]\(/media/[0-9a-f]{40}-2x1\.png\)\n`;
  await expect(content(page)).toHaveValue(new RegExp(`^${one}${one}$`));
  expect(most).toBe(1);
  await publishWithPictures(page, 2);
});

test('a title without a text is published only after a question', async ({ page, author, watch }) => {
  await open(page);
  await field(page, 'Title').fill('Only a title');
  const asked: string[] = [];
  watch.answerDialogs(async (dialog) => {
    asked.push(dialog.message());
    await (asked.length === 1 ? dialog.dismiss() : dialog.accept());
  });
  await button(page, 'Publish').click();
  await expect(page).toHaveURL(/\/my-posts\//);
  await expect(field(page, 'Title')).toHaveValue('Only a title');
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText('Only a title');
  expect(asked).toHaveLength(2);
});
