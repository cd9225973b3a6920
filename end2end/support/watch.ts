import { type BrowserContext, type Dialog, type Page, expect } from '@playwright/test';

const HARMLESS = new Set([
  // Going on to another page ends what the last one was still loading.
  'net::ERR_ABORTED',
  // A violated policy is on the console as well; with script switched off,
  // this alone is said of every script.
  'csp',
]);

/** Notes whatever a browser complains about; at the end there must be nothing. */
export class Watch {
  readonly #complaints: string[] = [];
  readonly #expected: number[] = [];
  #mayViolate = false;
  #answer: ((dialog: Dialog) => Promise<void>) | undefined;

  over(context: BrowserContext): void {
    context.on('console', (message) => {
      if (message.type() === 'error' && !this.#isExpected(message.text())) this.#note(message.text());
    });
    context.on('weberror', (error) => this.#note(String(error.error())));
    context.on('dialog', (dialog) => {
      if (this.#answer) return void this.#answer(dialog);
      this.#note(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      if (!HARMLESS.has(reason)) this.#note(`${request.url()}: ${reason}`);
    });
  }

  /** Does something that is answered by a page with `status`. */
  async status(page: Page, status: number, deed: () => Promise<unknown>): Promise<void> {
    if (status >= 400) this.#expected.push(status);
    const [answer] = await Promise.all([
      page.waitForResponse(
        (response) =>
          response.request().isNavigationRequest() &&
          response.frame() === page.mainFrame() &&
          (response.status() < 300 || response.status() >= 400),
      ),
      deed(),
    ]);
    expect(answer.status()).toBe(status);
  }

  /** One answer to a script will have this status. */
  expectStatus(status: number): void {
    this.#expected.push(status);
  }

  /** From now on the policy of the site may refuse something, and the browser say so. */
  expectPolicyViolations(): void {
    this.#mayViolate = true;
  }

  /** From now on the page may ask, and this answers. */
  answerDialogs(answer: (dialog: Dialog) => Promise<void>): void {
    this.#answer = answer;
  }

  verify(): void {
    expect(this.#complaints, 'complaints of the browser').toEqual([]);
  }

  /** Chromium reports a document with an error status on the console, once. */
  #isExpected(text: string): boolean {
    if (this.#mayViolate && text.includes('violates the following Content Security Policy directive')) return true;
    const status = /^Failed to load resource: .* status of (\d+)/.exec(text)?.[1];
    const at = this.#expected.indexOf(Number(status));
    if (at < 0) return false;
    this.#expected.splice(at, 1);
    return true;
  }

  #note(complaint: string): void {
    this.#complaints.push(complaint);
  }
}
