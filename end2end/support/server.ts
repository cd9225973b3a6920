import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const BINARY = resolve(
  import.meta.dirname,
  '..',
  process.env.END2END_SERVER ?? '../target/release/byline',
);

/** Nothing of the surroundings, and the cheapest password hash that is allowed. */
const ENVIRONMENT = { BYLINE_ARGON2_MEMORY: '19456', BYLINE_ARGON2_ITERATIONS: '2' };

/** A running Byline in a folder of its own, with a fresh database. */
export class Server {
  readonly url: string;
  /** What it printed before it was ready. */
  readonly greeting: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string, greeting: string, url: string) {
    this.#process = process;
    this.#folder = folder;
    this.greeting = greeting;
    this.url = url;
  }

  static async start(...flags: string[]): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'byline-end2end-'));
    const process = spawn(BINARY, ['serve', '--listen', '127.0.0.1:0', ...flags], {
      cwd: folder,
      env: ENVIRONMENT,
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
        return new Server(process, folder, greeting, url);
      }
      greeting += `${line}\n`;
    }
    throw new Error(`${BINARY} did not start:\n${greeting}${log}`);
  }

  /** Asks it to stop, as a service manager would. */
  async stop(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`the server ended with ${signal ?? `exit code ${code}`}`);
    await rm(this.#folder, { recursive: true });
  }
}
