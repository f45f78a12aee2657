/** numpy's pairwise summation: with any other order of additions the last bits of the averages differ. */

const BLOCK = 128;

export function pairwiseSum(values: ArrayLike<number>, start = 0, count = values.length): number {
  if (count < 8) {
    let sum = count === 0 ? 0 : values[start];
    for (let i = 1; i < count; i++) sum += values[start + i];
    return sum;
  }
  if (count <= BLOCK) {
    const r = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => values[start + i]);
    let i = 8;
    for (; i < count - (count % 8); i += 8) for (let j = 0; j < 8; j++) r[j] += values[start + i + j];
    let sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]));
    for (; i < count; i++) sum += values[start + i];
    return sum;
  }
  let half = count >> 1;
  half -= half % 8;
  return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, count - half);
}
