/** Geometry of the bar chart: completed above the line, failed below it; pure functions. */

export interface Bar {
  /** Index of the minute. */
  minute: number;
  /** Heights as fractions of the chart, 0 to 1. */
  up: number;
  down: number;
}

export interface Bars {
  bars: Bar[];
  /** Position of the line as a fraction from the top. */
  line: number;
}

/** Minimum scales, so that a single version does not fill the chart. */
const MIN_COMPLETED_SCALE = 4;
const MIN_FAILED_SCALE = 0.5;

/** Bars for two arrays of the same length; both directions share one scale. */
export function barsOf(completed: readonly number[], failed: readonly number[]): Bars {
  const above = Math.max(MIN_COMPLETED_SCALE, ...completed);
  const below = Math.max(MIN_FAILED_SCALE, ...failed);
  const whole = above + below;
  const bars = completed.map((up, minute) => ({
    minute,
    up: up / whole,
    down: (failed[minute] ?? 0) / whole,
  }));
  return { bars: bars.filter(({ up, down }) => up > 0 || down > 0), line: above / whole };
}

/** The points of a line through `values` for a `<polyline>` in a chart of width and height 1. */
export function linePoints(values: readonly number[], width: number, height: number): string {
  const highest = Math.max(1, ...values);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, index) => `${(index * step).toFixed(2)},${(height * (1 - value / highest)).toFixed(2)}`)
    .join(" ");
}
