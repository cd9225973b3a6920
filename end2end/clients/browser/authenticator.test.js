import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { codeTo } from '../support/mails.js';
import { author, send, site, someone } from '../support/site.js';
import { serve } from './open.js';

/** Has the forms served for a site; what comes back opens them for somebody who was not there before. */
function formsOf(byline) {
  let served;
  before(async () => {
    served = await serve(join(import.meta.dirname, 'authenticator.js'), byline);
  });
  after(() => served?.close());
  return async (path) => new Forms(await served.visit(path), byline);
}

/** The forms of `<Authenticator>` with the words that it puts on them. */
class Forms {
  /** What was asked of the site's accounts, in its order. */
  asked = [];
  /** What was sent with it. */
  sent = '';

  constructor(page, { origin }) {
    this.page = page;
    page.setDefaultTimeout(20_000);
    page.on('request', (request) => {
      if (request.method() !== 'POST' || !request.url().startsWith(`${origin}/cognito`)) return;
      const body = request.postDataJSON();
      const operation = request.headers()['x-amz-target'].split('.')[1];
      this.asked.push([operation, body.AuthFlow ?? body.ChallengeName].filter(Boolean).join(' '));
      this.sent += request.postData();
    });
  }

  /** What is asked in the course of something. */
  async during(work) {
    this.asked = [];
    this.sent = '';
    await work();
    return this.asked;
  }

  async fill(fields) {
    for (const [label, text] of Object.entries(fields)) {
      await this.page.getByLabel(label, { exact: true }).fill(text);
    }
  }

  press = (name) => this.page.getByRole('button', { name, exact: true }).click();
  says = (text) => this.page.getByText(text, { exact: true }).waitFor();
  heading = (name) => this.page.getByRole('heading', { name, exact: true }).waitFor();
  welcomes = (username) => this.heading(`Welcome, ${username}`);

  async signUp({ username, password, email }) {
    await this.page.getByRole('tab', { name: 'Create Account' }).click();
    const name = username ? { Username: username } : {};
    await this.fill({ ...name, Password: password, 'Confirm Password': password, Email: email });
    await this.press('Create Account');
  }

  async signIn(name, password, label = 'Username') {
    await this.fill({ [label]: name, Password: password });
    await this.press('Sign in');
  }

  /** Where no mail is sent, no address is verified, and a sign-in ends with an offer to do it. */
  async skip() {
    await this.heading('Account recovery requires verified contact information');
    await this.press('Skip');
  }

  async signOut() {
    await this.press('Sign out');
    await this.page.getByRole('tab', { name: 'Sign In' }).waitFor();
  }

  write = (title) => this.page.evaluate((title) => window.write(title), title);
}

/** What a reader sees of a post. */
async function seen(byline, { id }) {
  const { body } = await send(
    byline,
    { query: byline.statements.getPost, variables: { id } },
    { 'x-api-key': byline.apiKey },
  );
  return body.data.getPost;
}

const BY_SRP = ['InitiateAuth USER_SRP_AUTH', 'RespondToAuthChallenge PASSWORD_VERIFIER', 'GetUser'];

describe('by <Authenticator> of @aws-amplify/ui-react', async () => {
  const byline = await site('plain');
  const visit = formsOf(byline);

  test('whoever signs up is signed in, writes, signs out and in again', async () => {
    const forms = await visit();
    const me = someone();
    const atFirst = await forms.during(async () => {
      await forms.signUp(me);
      await forms.skip();
      await forms.welcomes(me.username);
    });
    assert.deepEqual(atFirst, ['SignUp', ...BY_SRP]);
    const made = await forms.write('By a form');
    assert.equal(made.owner, me.username);
    assert.deepEqual(await seen(byline, made), made);

    await forms.signOut();
    await assert.rejects(forms.write('No'));
    const again = await forms.during(async () => {
      await forms.signIn(me.username, me.password);
      await forms.skip();
      await forms.welcomes(me.username);
    });
    assert.deepEqual(again, BY_SRP);
    assert(!forms.sent.includes(me.password), 'the password itself was sent');
    assert.equal((await forms.write('Once more')).owner, me.username);
  });

  test('a wrong password is refused with its sentence, and an address does for a name', async () => {
    const me = await author(byline);
    const forms = await visit();
    await forms.signIn(me.username, 'a wrong one');
    await forms.says('Incorrect username or password.');
    await forms.signIn(me.email, me.password);
    await forms.skip();
    await forms.welcomes(me.username);
    assert.equal((await forms.write('By an address')).owner, me.username);
  });

  test('whoever comes back is still signed in, after the token is over too', async () => {
    const me = await author(byline);
    const forms = await visit();
    await forms.signIn(me.username, me.password);
    await forms.skip();
    await forms.welcomes(me.username);
    const back = async () => {
      await forms.page.reload();
      await forms.welcomes(me.username);
    };
    assert.deepEqual(await forms.during(back), []);
    await forms.page.clock.setSystemTime(Date.now() + 11 * 60_000);
    assert.deepEqual(await forms.during(back), ['GetTokensFromRefreshToken']);
    assert.equal((await forms.write('With another token')).owner, me.username);
    assert.deepEqual(await forms.during(back), []);
  });

  test('whoever wants to verify an address is told that no code can be sent, and goes on', async () => {
    const me = await author(byline);
    const forms = await visit();
    await forms.signIn(me.username, me.password);
    await forms.page.getByText(/^Email: /).click();
    await forms.press('Verify');
    await forms.says('This site cannot send you a code.');
    await forms.skip();
    await forms.welcomes(me.username);
  });

  test('whoever is asked for an address instead of a name gets a name from it', async () => {
    const forms = await visit('/?email');
    const { username, password, email } = someone();
    await forms.signUp({ password, email });
    await forms.skip();
    await forms.welcomes(username);
    assert.equal((await forms.write('Without a name')).owner, username);
    await forms.signOut();
    await forms.signIn(email, password, 'Email');
    await forms.skip();
    await forms.welcomes(username);
  });
});

describe('by <Authenticator>, where mail is sent,', async () => {
  const byline = await site('mailed');
  const visit = formsOf(byline);

  /** Signs up, up to the form for the code of the mail. */
  async function signUp(forms, person) {
    await forms.signUp(person);
    await forms.heading('We Emailed You');
  }

  async function confirm(forms, { email }, count) {
    await forms.fill({ 'Confirmation Code': await codeTo(email, count) });
    await forms.press('Confirm');
  }

  test('whoever signs up is signed in by the code of a mail', async () => {
    const forms = await visit();
    const me = someone();
    await signUp(forms, me);
    const code = await codeTo(me.email);
    await forms.fill({ 'Confirmation Code': code === '000000' ? '000001' : '000000' });
    await forms.press('Confirm');
    await forms.says('Invalid verification code provided, please try again.');
    const confirmed = await forms.during(async () => {
      await confirm(forms, me);
      await forms.welcomes(me.username);
    });
    assert.deepEqual(confirmed, ['ConfirmSignUp', ...BY_SRP]);
    const made = await forms.write('By a code');
    assert.deepEqual(await seen(byline, made), made);

    // The address is verified: no form comes between.
    await forms.signOut();
    await forms.signIn(me.username, me.password);
    await forms.welcomes(me.username);
  });

  test('whoever is known by an address and has forgotten the password sets another by the code of a mail', async () => {
    const forms = await visit('/?email');
    const { username, ...me } = someone();
    await signUp(forms, me);
    await confirm(forms, me);
    await forms.welcomes(username);
    await forms.signOut();

    await forms.press('Forgot your password?');
    await forms.fill({ 'Enter your email': me.email });
    await forms.press('Send code');
    const password = `${me.password} and more`;
    await forms.fill({ 'Code *': await codeTo(me.email, 2), 'New Password': password, 'Confirm Password': password });
    await forms.press('Submit');
    await forms.signIn(me.email, me.password, 'Email');
    await forms.says('Incorrect username or password.');
    await forms.signIn(me.email, password, 'Email');
    await forms.welcomes(username);
    assert.equal((await forms.write('With another password')).owner, username);
  });

  test('whoever leaves before the code of the mail is asked for another at the next sign-in', async () => {
    const me = someone();
    const left = await visit();
    await signUp(left, me);
    await codeTo(me.email);
    await left.page.close();

    const forms = await visit();
    await forms.signIn(me.username, 'a wrong one');
    await forms.says('Incorrect username or password.');
    const asked = await forms.during(async () => {
      await forms.signIn(me.username, me.password);
      await forms.heading('We Emailed You');
    });
    assert.deepEqual(asked, [...BY_SRP.slice(0, 2), 'ResendConfirmationCode']);
    await confirm(forms, me, 2);
    await forms.signIn(me.username, me.password);
    await forms.welcomes(me.username);
    assert.equal((await forms.write('After all')).owner, me.username);
  });
});
