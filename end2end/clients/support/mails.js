import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './site.js';

const folder = process.env.CLIENTS_MAILS;

/** The texts of the mails to an address, as the site `mailed` has written them, oldest first. */
async function mailsTo(address) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.filter((text) => text.includes(`\r\nTo: ${address}\r\n`));
}

/** The code in the newest mail to an address, once there are so many. */
export async function codeTo(address, count = 1) {
  const [newest] = await until(async () => {
    const mails = await mailsTo(address);
    return mails.length >= count && mails.slice(-1);
  }, `mail to ${address}`);
  return /^ {4}(\d{6})\r?$/m.exec(newest)[1];
}
