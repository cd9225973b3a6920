import { type Page, expect } from '@playwright/test';
import { call } from './api.ts';
import { button, field } from './page.ts';

export interface Author {
  username: string;
  email: string;
  password: string;
}

let count = 0;

/** Somebody whom the site does not know yet. */
export function someone(): Author {
  count += 1;
  const username = `author-${count}`;
  return { username, email: `${username}@example.org`, password: `the quiet words of ${count}` };
}

/** Signs somebody up without going through the form. */
export async function signedUp(page: Page, author = someone()): Promise<Author> {
  await call(page, 'sign_up', { ...author });
  return author;
}

export async function fillInSignUp(page: Page, author: Author): Promise<void> {
  await field(page, 'Username').fill(author.username);
  await field(page, 'Email').fill(author.email);
  await field(page, 'Password').fill(author.password);
}

/** On the login page: proves to be `identifier`. */
export async function logIn(page: Page, identifier: string, password: string): Promise<void> {
  await field(page, 'Username or email').fill(identifier);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
}

export async function logOut(page: Page): Promise<void> {
  await button(page, 'Log out').click();
  await expect(page.getByRole('banner').getByRole('link', { name: 'Log in' })).toBeVisible();
}

export async function expectSignedIn(page: Page, author: Author): Promise<void> {
  const header = page.getByRole('banner');
  await expect(header.getByText(author.username, { exact: true })).toBeVisible();
  await expect(header.getByRole('button', { name: 'Log out' })).toBeVisible();
}
