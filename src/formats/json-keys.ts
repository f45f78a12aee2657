/** What JSON.parse does not say: that an object has a key twice. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * @param text valid JSON
 * @returns the first key that stands twice in one object
 */
export function duplicateKey(text: string): string | undefined {
  // One set of keys for each object that is open, undefined for each list.
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      // By hand: an expression for strings runs out of stack on long ones.
      const start = i;
      for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
      const end = i + 1;
      while (/\s/.test(text[i + 1] ?? '')) i++;
      if (text[i + 1] !== ':') continue;
      const key = JSON.parse(text.slice(start, end)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
