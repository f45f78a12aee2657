import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from '../../src/report/crc32c.js';

describe('crc32c', () => {
  // The first is the check value of the polynomial's catalogue entry, the others stand in RFC 3720, B.4.
  it.each([
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['0..31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('is masked by turning and adding', () => {
    expect(maskedCrc32c(new Uint8Array(0))).toBe(0xa282ead8);
    // 0xe3069283 turned right by 15 is 0x2507c60d.
    expect(maskedCrc32c(Buffer.from('123456789'))).toBe(0x2507c60d + 0xa282ead8);
  });
});
