/**
 * Decimal text to the nearest double, without making a string.
 *
 * Annotation files are mostly numbers, and `Number(text)` costs more than all the rest of reading them. Up to 15 digits
 * one division of exact doubles is correctly rounded. Detectors write float32 values with 16 to 18 digits: these take
 * a division in doubled precision, which is accepted only when its error cannot change the rounding.
 */

/** 10^0 .. 10^22 are exact doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Digits of an integer that is always an exact double. */
const HEAD_DIGITS = 15;
const MOST_DIGITS = 22;
const VELTKAMP = 2 ** 27 + 1;

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** The last number read: its value, and where it ends. One object, so that reading allocates nothing. */
export const decimal = { value: 0, end: 0 };

/**
 * Reads the JSON number at `at` into `decimal`. There must be a byte after it that belongs to no number.
 *
 * @returns whether there is one; if not, `decimal.end` is the first byte that does not fit
 */
export function readDecimal(bytes: Uint8Array, at: number): boolean {
  const start = at;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  let byte = bytes[at];
  if (byte < ZERO || byte > NINE) return refuse(at);

  let head = 0;
  let tail = 0;
  let digits = 0;
  let fraction = 0;
  if (byte === ZERO) byte = bytes[++at];
  else {
    do {
      if (digits < HEAD_DIGITS) head = head * 10 + (byte - ZERO);
      else if (digits < MOST_DIGITS) tail = tail * 10 + (byte - ZERO);
      digits++;
      byte = bytes[++at];
    } while (byte >= ZERO && byte <= NINE);
  }
  if (byte === DOT) {
    byte = bytes[++at];
    if (!(byte >= ZERO && byte <= NINE)) return refuse(at);
    do {
      if (digits < HEAD_DIGITS) head = head * 10 + (byte - ZERO);
      else if (digits < MOST_DIGITS) tail = tail * 10 + (byte - ZERO);
      // Zeros before the first digit count for the scale only.
      if (digits > 0 || byte !== ZERO) digits++;
      fraction++;
      byte = bytes[++at];
    } while (byte >= ZERO && byte <= NINE);
  }
  let exponent = 0;
  if (byte === LOWER_E || byte === UPPER_E) {
    byte = bytes[++at];
    const shrinks = byte === MINUS;
    if (shrinks || byte === PLUS) byte = bytes[++at];
    if (!(byte >= ZERO && byte <= NINE)) return refuse(at);
    do {
      if (exponent < 10_000) exponent = exponent * 10 + (byte - ZERO);
      byte = bytes[++at];
    } while (byte >= ZERO && byte <= NINE);
    if (shrinks) exponent = -exponent;
  }

  decimal.end = at;
  const scale = fraction - exponent;
  let value = Number.NaN;
  if (digits <= HEAD_DIGITS) {
    if (scale >= 0 && scale <= 22) value = head / POWERS[scale];
    else if (scale < 0 && scale >= -22) value = head * POWERS[-scale];
  } else if (digits <= MOST_DIGITS && scale >= 0 && scale <= 22) {
    value = divide(head, tail, digits - HEAD_DIGITS, scale);
  }
  // None of the short ways was exact.
  if (Number.isNaN(value)) decimal.value = Number(text(bytes, start, at));
  else decimal.value = negative ? -value : value;
  return true;
}

/** (head * 10^tailDigits + tail) / 10^scale, or NaN when the last bit is in doubt. */
function divide(head: number, tail: number, tailDigits: number, scale: number): number {
  const shift = POWERS[tailDigits];
  const divisor = POWERS[scale];
  // The numerator as an exact sum of two doubles.
  const product = head * shift;
  const productError = errorOfProduct(head, shift, product);
  const high = product + tail;
  const rest = tail - (high - product) + productError;
  const quotient = high / divisor;
  const back = quotient * divisor;
  const remainder = high - back - errorOfProduct(quotient, divisor, back) + rest;
  const correction = remainder / divisor;
  const doubt = Math.abs(correction) * 2 ** -49;
  const low = quotient + (correction - doubt);
  return low === quotient + (correction + doubt) ? low : Number.NaN;
}

/** a * b - product, exactly (Dekker). */
function errorOfProduct(a: number, b: number, product: number): number {
  const bigA = VELTKAMP * a;
  const highA = bigA - (bigA - a);
  const lowA = a - highA;
  const bigB = VELTKAMP * b;
  const highB = bigB - (bigB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

function refuse(at: number): boolean {
  decimal.end = at;
  return false;
}
