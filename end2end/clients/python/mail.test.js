import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Server } from '../../support/server.js';
import { until } from '../support/site.js';

const PYTHON = process.env.CLIENTS_PYTHON;
const options = { skip: !PYTHON, timeout: 120_000 };

let mailServer;
let byline;
/** Every mail so far. */
const mails = [];

before(async () => {
  if (!PYTHON) return;
  mailServer = spawn(PYTHON, [join(import.meta.dirname, 'mail_server.py')], {
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(mailServer.stdout);
  const [first] = await once(lines, 'line');
  lines.on('line', (line) => mails.push(JSON.parse(line)));
  const transport = `smtp://127.0.0.1:${JSON.parse(first).port}`;
  byline = await Server.start('--mail-transport', transport, '--mail-from', 'Byline <byline@example.org>');
});

after(async () => {
  await byline?.stop();
  mailServer?.kill();
});

const mailTo = (address) => until(() => mails.find((mail) => mail.to === address), `mail to ${address}`);

async function call(name, input) {
  const answer = await fetch(`${byline.url}/api/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', origin: byline.url },
    body: JSON.stringify(input),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

const signUp = (username, email = `${username}@example.org`) =>
  call('sign_up', { username, email, password: `the quiet words of ${username}` });

test('a mail by SMTP is one that others read, in both parts', options, async () => {
  const { sign_up } = await signUp('ada');
  const mail = await mailTo('ada@example.org');
  assert.equal(mail.from, 'byline@example.org');
  assert.equal(mail.subject, 'Confirm your address');
  assert.deepEqual(mail.defects, []);
  const code = /^ {4}(\d{6})$/m.exec(mail.plain)[1];
  assert(mail.html.includes(`>${code}<`));
  assert(mail.plain.includes(`${byline.url}/verify-email?token=`));
  assert.deepEqual(await call('verify_email', { sign_up, code }), { confirmed: 'signed_up' });
});

test('an address beyond ASCII gets its mail', options, async () => {
  await signUp('peter', 'пётр@example.org');
  assert.equal((await mailTo('пётр@example.org')).subject, 'Confirm your address');
});

test('a slow mail server slows no request', options, async () => {
  const begun = Date.now();
  await signUp('slow-one');
  assert(Date.now() - begun < 2500, `${Date.now() - begun} ms`);
  await mailTo('slow-one@example.org');
});

test('what is refused is given up, and what is busy or vanishes waits', options, async () => {
  for (const username of ['refused-one', 'busy-one', 'vanishes-one']) await signUp(username);
  const list = await until(async () => {
    const lines = (await byline.run('mail', 'list')).split('\n');
    const settled = ['refused', 'busy', 'vanishes'].map((name) => lines.find((line) => line.includes(`\t${name}-one@`)));
    return settled.every((line) => line && !line.endsWith('\twaits')) && settled;
  }, 'end of the attempts');
  assert.match(list[0], /given up .*: the recipient: .*550/);
  assert.match(list[1], /tried 1 times, again .*: the recipient: .*451/);
  assert.match(list[2], /tried 1 times, again .*: the mail: /);
});
