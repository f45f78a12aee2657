/** A number and what it counts: `1 image`, `2 images`, `3 batches`. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`;
}
