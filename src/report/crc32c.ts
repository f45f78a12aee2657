/**
 * CRC-32C (Castagnoli), the checksum of TensorFlow's record files. Node's zlib has only the other polynomial.
 *
 * Source: RFC 3720, appendix B.4; the masking is that of TensorFlow's record writer, which keeps a checksum that is
 * itself part of checksummed data from cancelling out.
 */

const REVERSED_POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? REVERSED_POLYNOMIAL : 0);
  return crc;
});

/** Unsigned 32-bit checksum. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum as it is stored: turned right by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
