import { describe, expect, it } from 'vitest';
import { encodeEvent } from '../../src/report/event-proto.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Field 1, the double 1.5. */
const WALL_TIME = '09000000000000f83f';

describe('encodeEvent', () => {
  it('writes the version', () => {
    const text = Buffer.from('brain.Event:2').toString('hex');
    expect(hex(encodeEvent(1.5, 0, { kind: 'file-version' }))).toBe(`${WALL_TIME}10001a0d${text}`);
  });

  it('writes scalars: step 300 is ac 02, 0.5 is 3f000000', () => {
    const event = encodeEvent(1.5, 300, { kind: 'scalars', values: [['lr', 0.5]] });
    // 2a 0b: summary of 11 bytes; 0a 09: value of 9; 0a 02: tag; 15: simple_value.
    expect(hex(event)).toBe([WALL_TIME, '10ac02', '2a0b', '0a09', '0a026c72', '150000003f'].join(''));
  });

  it('writes a restart', () => {
    expect(hex(encodeEvent(1.5, 1, { kind: 'session-start' }))).toBe(`${WALL_TIME}10013a020801`);
  });

  it('writes a picture', () => {
    const image = { png: Uint8Array.of(7), width: 2, height: 1 };
    const event = encodeEvent(1.5, 0, { kind: 'image', tag: 'a', image });
    expect(hex(event)).toBe(
      [WALL_TIME, '1000', '2a10', '0a0e', '0a0161', '2209', '0801', '1002', '1803', '220107'].join(''),
    );
  });

  it('writes steps beyond 32 bits', () => {
    const event = encodeEvent(1.5, 2 ** 40, { kind: 'session-start' });
    expect(hex(event)).toBe(`${WALL_TIME}108080808080203a020801`);
  });

  it('refuses steps that are no natural number', () => {
    expect(() => encodeEvent(0, -1, { kind: 'file-version' })).toThrow(
      'step must be a natural number, not -1',
    );
    expect(() => encodeEvent(0, 0.5, { kind: 'file-version' })).toThrow(RangeError);
  });
});
