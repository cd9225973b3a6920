// The edits of the toolbar and the keys, as functions: no page and no server.

import assert from 'node:assert/strict';
import { expect, test } from '@playwright/test';
import * as edits from '../../src/posts/editor/text_edits.js';

type State = Parameters<typeof edits.wrap>[0];

/** A text with its selection: `a[b]c`, or `a|c` for a caret. */
function state(drawn: string): State {
  const caret = drawn.indexOf('|');
  if (caret >= 0) return { text: drawn.replace('|', ''), start: caret, end: caret };
  const [start, end] = [drawn.indexOf('⟦'), drawn.indexOf('⟧') - 1];
  return { text: drawn.replace(/[⟦⟧]/g, ''), start, end };
}

function drawn({ text, start, end }: State): string {
  if (start === end) return `${text.slice(0, start)}|${text.slice(end)}`;
  return `${text.slice(0, start)}⟦${text.slice(start, end)}⟧${text.slice(end)}`;
}

type Edit = (state: State) => ReturnType<typeof edits.wrap>;

function after(edit: Edit, before: string): string {
  const from = state(before);
  return drawn(edits.applied(from, edit(from)));
}

// Thousands of cases: a plain assertion is quicker than one of Playwright.

/** Random texts that are the same in each run. */
function* texts(count: number): Generator<State> {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor(seed / 65536) % below;
  };
  const parts = ['a', 'word', ' ', '\n', '*', '**', '_', '`', '> ', '# ', '- ', '1. ', '😀', '👩‍👧', 'é', 'שלום', '\n\n'];
  for (let made = 0; made < count; made += 1) {
    const text = Array.from({ length: next(12) }, () => parts[next(parts.length)]).join('');
    const ends = [next(text.length + 1), next(text.length + 1)].sort((one, other) => one - other);
    yield { text, start: ends[0], end: ends[1] };
  }
}

test('bold and italic surround the selection and are taken away again', () => {
  expect(after(edits.bold, 'a ⟦word⟧ b')).toBe('a **⟦word⟧** b');
  expect(after(edits.bold, 'a **⟦word⟧** b')).toBe('a ⟦word⟧ b');
  expect(after(edits.bold, 'a ⟦**word**⟧ b')).toBe('a ⟦word⟧ b');
  expect(after(edits.italic, 'a **⟦word⟧** b')).toBe('a ***⟦word⟧*** b');
  expect(after(edits.bold, 'a ***⟦word⟧*** b')).toBe('a *⟦word⟧* b');
  expect(after(edits.bold, 'a|')).toBe('a**|**');
  expect(after(edits.bold, 'a**|**')).toBe('a|');
});

test('emphasis ends where a paragraph, a heading or an item ends', () => {
  expect(after(edits.bold, '⟦one\n\ntwo⟧')).toBe('⟦**one**\n\n**two**⟧');
  expect(after(edits.bold, '⟦**one**\n\n**two**⟧')).toBe('⟦one\n\ntwo⟧');
  expect(after(edits.bold, 'a ⟦b\n \n c \nd⟧ e')).toBe('a ⟦**b**\n \n **c \nd**⟧ e');
  expect(after(edits.italic, '⟦- one\n- [ ] two\n  2. three⟧')).toBe('⟦- *one*\n- [ ] *two*\n  2. *three*⟧');
  expect(after(edits.bold, '⟦## Head\n> quote\n> more⟧')).toBe('⟦## **Head**\n> **quote**\n> **more**⟧');
  expect(after(edits.bold, '⟦- item⟧')).toBe('⟦- **item**⟧');
  // What is bold already stays so.
  expect(after(edits.bold, '⟦**one**\n\ntwo⟧')).toBe('⟦**one**\n\n**two**⟧');
  expect(after(edits.bold, '⟦one\ntwo⟧')).toBe('**⟦one\ntwo⟧**');
});

test('whatever the text is, the second press takes away what the third gives back', () => {
  for (const edit of [edits.bold, edits.italic]) {
    for (const before of texts(3_000)) {
      const press = (from: State) => edits.applied(from, edit(from));
      const first = press(before);
      if (first.text.length <= before.text.length || !before.text.slice(before.start, before.end).includes('\n')) continue;
      assert.equal(press(press(first)).text, first.text, JSON.stringify(before));
    }
  }
});

test('marks stand at the words, not at the spaces that were selected with them', () => {
  expect(after(edits.bold, 'a⟦ word ⟧b')).toBe('a **⟦word⟧** b');
});

test('an emoji before the selection moves nothing', () => {
  expect(after(edits.bold, '😀👩‍👧 ⟦word⟧')).toBe('😀👩‍👧 **⟦word⟧**');
  expect(after(edits.quote, '⟦😀\n👩‍👧⟧')).toBe('⟦> 😀\n> 👩‍👧⟧');
});

test('whatever the text is, making it bold and taking that back gives the text', () => {
  for (const mark of ['**', '*', '`', '~~', '```']) {
    for (const before of texts(3_000)) {
      const made = edits.applied(before, edits.wrap(before, mark));
      if (made.text.length < before.text.length) continue;
      const back = edits.applied(made, edits.wrap(made, mark));
      assert.equal(back.text, before.text, JSON.stringify({ mark, before }));
    }
  }
});

test('whatever the text is, quoting it and taking that back gives the text', () => {
  for (const before of texts(3_000)) {
    const made = edits.applied(before, edits.quote(before));
    if (made.text.length < before.text.length) continue;
    const back = edits.applied(made, edits.quote(made));
    assert.equal(back.text, before.text, JSON.stringify(before));
  }
});

test('whatever the text is, a selection lies within it afterwards', () => {
  const all: Edit[] = [edits.bold, edits.code, edits.heading, edits.list, edits.numberedList, edits.quote, edits.link];
  for (const before of texts(2_000)) {
    for (const edit of all) {
      const { text, start, end } = edits.applied(before, edit(before));
      assert.ok(0 <= start && start <= end && end <= text.length, JSON.stringify({ before, edit: edit.name }));
    }
  }
});

test('code is a mark in a line and a fence around several', () => {
  expect(after(edits.code, 'a ⟦b⟧')).toBe('a `⟦b⟧`');
  expect(after(edits.code, 'a ⟦b`c⟧')).toBe('a ``⟦b`c⟧``');
  expect(after(edits.code, 'a ⟦b\nc⟧')).toBe('a \n```\n⟦b\nc⟧\n```');
  expect(after(edits.code, '```\n⟦b\nc⟧\n```'), 'again takes it away').toBe('⟦b\nc⟧');
  expect(after(edits.code, 'a\n````rust\n⟦b\n```\nc⟧\n````\nd')).toBe('a\n⟦b\n```\nc⟧\nd');
  expect(after(edits.code, 'a\n⟦```\nb\n```⟧\nd')).toBe('a\n⟦b⟧\nd');
  expect(after(edits.code, '```\n⟦b\nc⟧\n````'), 'another fence').toBe('```\n```\n⟦b\nc⟧\n```\n````');
});

test('a heading becomes a smaller one and then none', () => {
  expect(after(edits.heading, 'Pl|ans')).toBe('## Pl|ans');
  expect(after(edits.heading, '## Pl|ans')).toBe('### Pl|ans');
  expect(after(edits.heading, '### Pl|ans')).toBe('Pl|ans');
});

test('lines become a list, a numbered list and lines again', () => {
  expect(after(edits.list, '⟦one\ntwo⟧')).toBe('⟦- one\n- two⟧');
  expect(after(edits.numberedList, '⟦- one\n- two⟧')).toBe('⟦1. one\n2. two⟧');
  expect(after(edits.numberedList, '⟦1. one\n2. two⟧')).toBe('⟦one\ntwo⟧');
  expect(after(edits.list, '|')).toBe('- |');
});

test('a link takes the selection as its words', () => {
  expect(after(edits.link, 'see ⟦here⟧')).toBe('see [here](|)');
  expect(after(edits.link, 'see |')).toBe('see [|]()');
  expect(after((from) => edits.link(from, 'https://e.org/a'), '⟦[a]⟧')).toBe('[\\[a\\]](https://e.org/a)|');
  expect(after((from) => edits.link(from, 'https://e.org/a_(b)'), '⟦a⟧')).toBe('[a](<https://e.org/a_(b)>)|');
});

test('Enter goes on with lists, tasks and quotes, and an empty item ends them', () => {
  const enter = (before: string) => {
    const from = state(before);
    const change = edits.nextLine(from);
    return change && drawn(edits.applied(from, change));
  };
  expect(enter('- one|')).toBe('- one\n- |');
  expect(enter('  9. one|')).toBe('  9. one\n  10. |');
  expect(enter('- [x] done|')).toBe('- [x] done\n- [ ] |');
  expect(enter('> said|')).toBe('> said\n> |');
  expect(enter('> - one|')).toBe('> - one\n> - |');
  expect(enter('- one|two')).toBe('- one\n- |two');
  expect(enter('- one\n- |')).toBe('- one\n|');
  expect(enter('- [ ] |')).toBe('|');
  expect(enter('> - |')).toBe('> |');
  expect(enter('> |')).toBe('|');
  expect(enter('plain|')).toBeNull();
  expect(enter('**bold**|')).toBeNull();
  expect(enter('```\n- one|'), 'in code').toBeNull();
  expect(enter('- ⟦one⟧'), 'with a selection').toBeNull();
});

test('words are counted in every script', () => {
  expect(edits.size('')).toBe('');
  expect(edits.size('Hello')).toBe('1 word, 1 min');
  expect(edits.size('One two, three.')).toBe('3 words, 1 min');
  expect(edits.size('你好世界'.repeat(300))).toMatch(/^\d{3,4} words, [2-9] min$/);
});
