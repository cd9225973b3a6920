import { createHmac } from 'node:crypto';

/** Base 32 without padding (RFC 4648). */
function bytes(secret: string): Buffer {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const octets = bits.join('').match(/.{8}/g) ?? [];
  return Buffer.from(octets.map((octet) => Number.parseInt(octet, 2)));
}

/** What an authenticator app shows now, or so many steps of 30 s later (RFC 6238). */
export function totp(secret: string, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac('sha1', bytes(secret)).update(counter).digest();
  const bits = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(bits % 1_000_000).padStart(6, '0');
}
