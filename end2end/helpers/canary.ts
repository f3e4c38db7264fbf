import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { constants, inflateRawSync } from 'node:zlib';

/** Where one of `secrets` stands in `bytes`, in any dress: plain, base64, percent-encoded, hexadecimal, compressed. */
export function leaks(secrets: string[], bytes: Buffer): string[] {
  const places = [bytes, ...unpacked(bytes)].map((part) => part.toString('latin1'));
  const found: string[] = [];
  for (const secret of secrets) {
    for (const [dress, needle] of dresses(secret)) {
      if (places.some((place) => place.includes(needle))) found.push(`${secret.slice(0, 6)}… ${dress}`);
    }
  }
  return found;
}

/** Every file below `folder` but those that `isExempt`. */
export function filesBelow(folder: string, isExempt: (name: string) => boolean): { name: string; bytes: Buffer }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !isExempt(name) && statSync(join(folder, name)).isFile())
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

function dresses(secret: string): [string, string][] {
  const bytes = Buffer.from(secret);
  const out: [string, string][] = [
    ['plain', secret],
    ['in hexadecimal', bytes.toString('hex')],
    ['percent-encoded', encodeURIComponent(secret)],
    ['wholly percent-encoded', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
  ];
  // Inside a longer text base64 depends on where the secret begins: three ways, without the ends that the neighbours touch.
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').replace(/=+$/, '');
    const middle = text.slice(before === 0 ? 0 : before + 1, -2);
    out.push([`in base64 (${before})`, middle], [`in base64url (${before})`, middle.replaceAll('+', '-').replaceAll('/', '_')]);
  }
  return out;
}

/** What gzip and zlib streams inside `bytes` hold, as far as they can be read. */
function unpacked(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * 1024 * 1024 };
  for (let at = 0; at + 10 < bytes.length; at += 1) {
    const isGzip = bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
    const isZlib = bytes[at] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[at + 1]);
    if (!isGzip && !isZlib) continue;
    try {
      out.push(inflateRawSync(bytes.subarray(at + (isGzip ? gzipHeader(bytes, at) : 2)), options));
    } catch {
      // Bytes that only look like a beginning.
    }
  }
  return out;
}

/** The length of a gzip header (RFC 1952 section 2.3). What follows the stream must not matter, as it does to `gunzipSync`. */
function gzipHeader(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3];
  let end = at + 10;
  if (flags & 4) end += 2 + bytes.readUInt16LE(end);
  for (const named of [8, 16]) if (flags & named) end = bytes.indexOf(0, end) + 1;
  if (flags & 2) end += 2;
  return end - at;
}
