import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { author, site, wholeSchema } from '../support/site.js';

const byline = await site('plain');

const SCHEMATHESIS = process.env.CLIENTS_SCHEMATHESIS;

/** Seconds for each credential: a slow machine gets through less. */
const BUDGET = 20;

/** Has documents made up from the schema, in the same order in each run, and sends them. */
async function fuzz(schema, headers) {
  // It remembers failures in its working directory.
  const folder = await mkdtemp(join(tmpdir(), 'byline-fuzz-'));
  const args = ['run', schema, '--url', byline.endpoint];
  args.push('--phases', 'fuzzing', '--max-time', String(BUDGET), '--seed', '1', '--no-shrink');
  args.push('--checks', 'no_fault_of_the_server', '--suppress-health-check', 'all', '--workers', '2');
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`);
  try {
    const { stdout } = await promisify(execFile)(SCHEMATHESIS, args, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        PYTHONPATH: import.meta.dirname,
        PYTHONDONTWRITEBYTECODE: '1',
        SCHEMATHESIS_HOOKS: 'checks',
      },
      timeout: 120_000,
    });
    return stdout;
  } catch (error) {
    // Its message would repeat the command, and with it the credential.
    throw new Error(`${error.killed ? 'killed: it did not end' : 'failed'}\n${error.stdout}${error.stderr}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The line that says how many requests were made. */
const summary = (output) => /^.*generated.*$/m.exec(output)?.[0].trim() ?? output;

describe('documents made up from the schema make the server fail in no way', { skip: !SCHEMATHESIS }, () => {
  test('with an API key', async (context) => {
    context.diagnostic(summary(await fuzz(byline.endpoint, { 'x-api-key': byline.apiKey })));
  });

  test('with a token', async (context) => {
    const { token } = await author(byline);
    context.diagnostic(summary(await fuzz(byline.endpoint, { authorization: token })));
  });

  test('with nothing', async (context) => {
    // The schema describes itself to nobody without a credential.
    const schema = join(byline.folder, 'whole.graphql');
    await writeFile(schema, await wholeSchema(byline));
    context.diagnostic(summary(await fuzz(schema, {})));
  });
});
