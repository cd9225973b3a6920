import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const BINARY = resolve(
  import.meta.dirname,
  '..',
  process.env.END2END_SERVER ?? '../target/debug/byline',
);

/** Nothing of the surroundings, and the cheapest password hash that is allowed. */
const ENVIRONMENT = { BYLINE_ARGON2_MEMORY: '19456', BYLINE_ARGON2_ITERATIONS: '2' };

/** A cluster on which every server gets a database; without one it has a file in its folder. */
const POSTGRES = process.env.END2END_POSTGRES;

/** Beside a file Byline makes a key itself; without one there is no two-factor authentication. */
const SECRET_KEY = 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=';

/** What the servers keep their data in, for what is to be told apart by it. */
export const ENGINE = POSTGRES ? 'postgres' : 'sqlite';

/**
 * The settings that give a server an empty database.
 *
 * @returns {Promise<Record<string, string>>}
 */
async function freshDatabase() {
  // The default is a new file in the server's folder.
  if (!POSTGRES) return {};
  const name = `end2end_${randomUUID().replaceAll('-', '')}`;
  const psql = process.env.END2END_PSQL ?? 'psql';
  await execute(psql, ['--no-psqlrc', '--command', `CREATE DATABASE ${name}`, POSTGRES]);
  const url = new URL(POSTGRES);
  url.pathname = name;
  return { BYLINE_DATABASE_URL: url.href, BYLINE_SECRET_KEY: SECRET_KEY };
}

/**
 * A running Byline in a folder of its own, with a fresh database.
 *
 * Plain JavaScript, because Node itself runs it too where no Playwright
 * translates TypeScript.
 */
export class Server {
  /** @type {string} */
  url;
  /** What it printed before it was ready. */
  greeting;
  #process;
  #folder;
  #env;

  /**
   * @param {import('node:child_process').ChildProcess} process
   * @param {string} folder
   * @param {Record<string, string>} env
   * @param {string} greeting
   * @param {string} url
   */
  constructor(process, folder, env, greeting, url) {
    this.#process = process;
    this.#folder = folder;
    this.#env = env;
    this.greeting = greeting;
    this.url = url;
  }

  /**
   * @param {string[]} flags of `byline serve`
   * @returns {Promise<Server>}
   */
  static async start(...flags) {
    const folder = await mkdtemp(join(tmpdir(), 'byline-end2end-'));
    const env = { ...ENVIRONMENT, ...(await freshDatabase()) };
    const process = spawn(BINARY, ['serve', '--listen', '127.0.0.1:0', ...flags], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(process, 'spawn');
    // Unread output would fill its pipe and stop the server.
    let log = '';
    process.stderr.on('data', (text) => (log += text));
    let greeting = '';
    for await (const line of createInterface(process.stdout)) {
      const url = /^Byline is at (\S+)$/.exec(line)?.[1];
      if (url) {
        process.stdout.resume();
        return new Server(process, folder, env, greeting, url);
      }
      greeting += `${line}\n`;
    }
    throw new Error(`${BINARY} did not start:\n${greeting}${log}`);
  }

  /** The file of its database, where it has one. */
  get database() {
    return join(this.#folder, 'byline.db');
  }

  /**
   * Runs another command of Byline on the same database.
   *
   * @param {string[]} args
   * @returns {Promise<string>} what it printed
   */
  async run(...args) {
    const env = { ...this.#env, BYLINE_PUBLIC_URL: this.url };
    const { stdout } = await execute(BINARY, args, { cwd: this.#folder, env });
    return stdout.trimEnd();
  }

  /** Asks it to stop, as a service manager would. */
  async stop() {
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`the server ended with ${signal ?? `exit code ${code}`}`);
    await rm(this.#folder, { recursive: true });
  }
}
