/** ImageNet's statistics, by which every view is normalised: of red, green and blue, for values in 0 to 1. */

export const MEAN = [0.485, 0.456, 0.406] as const;
export const DEVIATION = [0.229, 0.224, 0.225] as const;
