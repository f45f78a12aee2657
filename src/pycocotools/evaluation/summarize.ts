/** The twelve (keypoints: ten) numbers, and the table that pycocotools prints. */

import type { Curves } from './evaluate.js';
import { FREQUENCIES, type Frequency } from './federated.js';
import type { Params } from './params.js';
import { pairwiseSum } from './sum.js';

/** One line of the table. */
export interface Summary {
  precision: boolean;
  /** All thresholds when undefined. */
  iouThr: number | undefined;
  area: string;
  maxDets: number;
  /** Of federated data sets; all categories when undefined. */
  frequency?: Frequency;
  /** -1 where nothing could be measured. */
  value: number;
}

/** @param frequencies of the categories, for federated evaluation */
export function summarize(curves: Curves, params: Params, frequencies: readonly Frequency[] = []): Summary[] {
  if (params.federated) return summarizeFederated(curves, params, frequencies);
  const { maxDets, iouType, corrections } = params;
  const line = (
    precision: boolean,
    { iouThr, area = 'all', most = maxDets[2] }: { iouThr?: number; area?: string; most?: number } = {},
  ): Summary => ({
    precision,
    iouThr,
    area,
    maxDets: most,
    value: average(curves, params, precision, iouThr, area, most),
  });
  if (iouType === 'keypoints') {
    const most = corrections.maxDets ? maxDets[0] : 20;
    return [true, false].flatMap((precision) => [
      line(precision, { most }),
      line(precision, { most, iouThr: 0.5 }),
      line(precision, { most, iouThr: 0.75 }),
      line(precision, { most, area: 'medium' }),
      line(precision, { most, area: 'large' }),
    ]);
  }
  return [
    // The reference has the number 100 here, whatever maxDets is.
    line(true, { most: corrections.maxDets ? maxDets[2] : 100 }),
    line(true, { iouThr: 0.5 }),
    line(true, { iouThr: 0.75 }),
    ...['small', 'medium', 'large'].map((area) => line(true, { area })),
    ...[0, 1, 2].map((m) => line(false, { most: maxDets[m] })),
    ...['small', 'medium', 'large'].map((area) => line(false, { area })),
  ];
}

/** LVIS's thirteen lines. */
function summarizeFederated(curves: Curves, params: Params, frequencies: readonly Frequency[]): Summary[] {
  const most = params.maxDets[0];
  const line = (
    precision: boolean,
    { iouThr, area = 'all', frequency }: { iouThr?: number; area?: string; frequency?: Frequency } = {},
  ): Summary => {
    const counts = (k: number) => frequency === undefined || frequencies[k] === frequency;
    const value = average(curves, params, precision, iouThr, area, most, counts);
    return { precision, iouThr, area, maxDets: most, ...(frequency && { frequency }), value };
  };
  const sizes = ['small', 'medium', 'large'];
  return [
    line(true),
    line(true, { iouThr: 0.5 }),
    line(true, { iouThr: 0.75 }),
    ...sizes.map((area) => line(true, { area })),
    ...FREQUENCIES.map((frequency) => line(true, { frequency })),
    line(false),
    ...sizes.map((area) => line(false, { area })),
  ];
}

/** Mean over all that was measured (greater than -1), summed as numpy sums. */
function average(
  { counts: [T, R, K, A, M], precision, recall }: Curves,
  { iouThrs, areaRngLbl, maxDets }: Params,
  ofPrecision: boolean,
  iouThr: number | undefined,
  area: string,
  most: number,
  counts: (category: number) => boolean = () => true,
): number {
  const a = areaRngLbl.indexOf(area);
  const m = maxDets.indexOf(most);
  if (a < 0 || m < 0) return -1;
  const values: number[] = [];
  const points = ofPrecision ? R : 1;
  const source = ofPrecision ? precision : recall;
  for (let t = 0; t < T; t++) {
    if (iouThr !== undefined && iouThrs[t] !== iouThr) continue;
    for (let r = 0; r < points; r++) {
      for (let k = 0; k < K; k++) {
        const value = source[(((t * points + r) * K + k) * A + a) * M + m];
        if (value > -1 && counts(k)) values.push(value);
      }
    }
  }
  return values.length === 0 ? -1 : pairwiseSum(values) / values.length;
}

/** The lines as pycocotools prints them, and those of federated data sets as LVIS does. */
export function formatSummary(lines: readonly Summary[], { iouThrs, federated }: Params): string {
  return lines
    .map(({ precision, iouThr, area, maxDets, frequency = 'all', value }) => {
      const title = precision ? 'Average Precision' : 'Average Recall';
      const type = precision ? '(AP)' : '(AR)';
      const iou =
        iouThr === undefined
          ? `${iouThrs[0].toFixed(2)}:${(iouThrs.at(-1) ?? 0).toFixed(2)}`
          : iouThr.toFixed(2);
      const size = federated && area !== 'all' ? area.slice(0, 1) : area;
      const categories = federated ? ` catIds=${frequency.padStart(3)}` : ' ';
      return ` ${title.padEnd(18)} ${type} @[ IoU=${iou.padEnd(9)} | area=${size.padStart(6)} | maxDets=${String(maxDets).padStart(3)}${categories}] = ${value.toFixed(3)}`;
    })
    .join('\n');
}
