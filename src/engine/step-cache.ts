/**
 * Steps are compiled for fixed shapes. What comes in several (the last batch of an epoch is short, images have buckets of
 * sizes) is compiled when a shape is first met.
 */

/** @param compile of the numbers and names that make up a shape @returns the same, which keeps what it made */
export function compiledOnce<Shape extends readonly (number | string)[], S>(
  compile: (...shape: Shape) => S,
): (...shape: Shape) => S {
  const steps = new Map<string, S>();
  return (...shape) => {
    const key = shape.join(' ');
    const step = steps.get(key) ?? compile(...shape);
    steps.set(key, step);
    return step;
  };
}
