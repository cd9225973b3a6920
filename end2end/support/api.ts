import { type APIResponse, type Page, expect } from '@playwright/test';

/** Calls a server function in the name of whoever is signed in on `page`. */
export async function call<T>(page: Page, name: string, form: Record<string, string>): Promise<T> {
  const response = await send(page, `/api/${name}`, form, 'application/json');
  expect(response.status(), `the answer to ${name}`).toBe(200);
  return response.json();
}

/** Sends a form as a browser would from a page of the site, whether or not any page offers it. */
export function send(
  page: Page,
  path: string,
  form: Record<string, string>,
  accept = 'text/html',
): Promise<APIResponse> {
  return page.request.post(path, {
    form,
    headers: { accept, 'sec-fetch-site': 'same-origin' },
    maxRedirects: 0,
  });
}
