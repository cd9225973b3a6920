import { type Locator, type Page, expect } from '@playwright/test';
import { call } from './api.ts';
import { button, field, heading } from './page.ts';

export interface Text {
  title: string;
  content: string;
}

export interface Post extends Text {
  id: string;
  owner: string;
  slug: string;
}

/** In the editor: replaces both fields. */
export async function type(page: Page, { title, content }: Text): Promise<void> {
  await field(page, 'Title').fill(title);
  await field(page, 'Content').fill(content);
}

export async function expectInEditor(page: Page, { title, content }: Text): Promise<void> {
  await expect(field(page, 'Title')).toHaveValue(title);
  await expect(field(page, 'Content')).toHaveValue(content);
}

/** Writes a post from the first click to its page. */
export async function publish(page: Page, text: Text): Promise<void> {
  await page.goto('/my-posts/new');
  await type(page, text);
  await button(page, 'Publish').click();
  await expect(heading(page)).toHaveText(text.title);
}

/** Publishes a post without going through the form. */
export const published = (page: Page, text: Text): Promise<Post> => call(page, 'create_post', { ...text });

/** The entry of a post in a list. */
export const entry = (page: Page, title: string): Locator =>
  page.getByRole('article').filter({ has: page.getByRole('heading', { level: 2, name: title, exact: true }) });

export const edit = (post: Pick<Post, 'id'>): string => `/my-posts/${post.id}/edit`;
/** A name of the post's page that leads there for ever. */
export const show = (post: Post): string => `/posts/${post.id}`;
/** Where its page is. */
export const address = (post: Post): string => `/@${post.owner}/${post.slug}`;
