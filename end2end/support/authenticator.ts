import type { CDPSession, Page } from '@playwright/test';

/** A credential as Chromium's virtual authenticator keeps it. */
interface Kept {
  credentialId: string;
  signCount: number;
  rpId?: string;
  userHandle?: string;
  privateKey: string;
  isResidentCredential: boolean;
}

/** A device of Chromium that makes passkeys and signs, without a person. */
export class Authenticator {
  readonly #cdp: CDPSession;
  readonly #id: string;

  private constructor(cdp: CDPSession, id: string) {
    this.#cdp = cdp;
    this.#id = id;
  }

  static async plugIn(page: Page, options: { hasResidentKey?: boolean; isUserVerified?: boolean } = {}) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        ...options,
      },
    });
    return new Authenticator(cdp, authenticatorId);
  }

  /** Whether it is touched by itself. A page of login would be answered at once. */
  async touches(enabled: boolean): Promise<void> {
    await this.#cdp.send('WebAuthn.setAutomaticPresenceSimulation', {
      authenticatorId: this.#id,
      enabled,
    });
  }

  async kept(): Promise<Kept[]> {
    const { credentials } = await this.#cdp.send('WebAuthn.getCredentials', {
      authenticatorId: this.#id,
    });
    return credentials as Kept[];
  }

  /** Puts another state of a credential in its place: a copy of long ago. */
  async replace(credential: Kept): Promise<void> {
    const { credentialId } = credential;
    await this.#cdp.send('WebAuthn.removeCredential', { authenticatorId: this.#id, credentialId });
    await this.#cdp.send('WebAuthn.addCredential', { authenticatorId: this.#id, credential });
  }
}
