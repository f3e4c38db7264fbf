import { deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { leaks } from '../helpers/canary';

const SECRET = 'pina_AGHTRUEWACP6VRKD6A/+CanaryToken0123456789';

for (const [dress, bytes] of Object.entries({
  plain: Buffer.from(`before ${SECRET} after`),
  base64: Buffer.from(Buffer.from(`{"token":"${SECRET}"}`).toString('base64')),
  'base64, one byte on': Buffer.from(Buffer.from(`{"tokens":"${SECRET}"}`).toString('base64')),
  'base64, two bytes on': Buffer.from(Buffer.from(`{"a token":"${SECRET}"}`).toString('base64url')),
  'percent-encoded': Buffer.from(`?token=${encodeURIComponent(SECRET)}&x`),
  hexadecimal: Buffer.from(Buffer.from(SECRET).toString('hex')),
  gzip: Buffer.concat([Buffer.from('page of a database'), gzipSync(`x${SECRET}y`), Buffer.from('rest')]),
  zlib: Buffer.concat([Buffer.alloc(9), deflateSync(`x${SECRET}y`)]),
})) {
  test(`a token is found: ${dress}`, () => {
    expect(leaks([SECRET], bytes).length).toBeGreaterThan(0);
  });
}

test('another token is not found', () => {
  expect(leaks([SECRET], Buffer.from(SECRET.toLowerCase()))).toEqual([]);
});
