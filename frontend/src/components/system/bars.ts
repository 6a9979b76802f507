/** How a row of minutes is drawn as bars: what succeeded above a line, what failed below it; pure. */

export interface Bar {
  /** Index of the minute. */
  minute: number;
  /** Heights as shares of the whole drawing, 0 to 1. */
  up: number;
  down: number;
}

export interface Bars {
  bars: Bar[];
  /** Where the line is, as a share from the top. */
  line: number;
}

/** So that a single one does not fill the drawing. */
const MIN_COMPLETED_SCALE = 4;
const MIN_FAILED_SCALE = 0.5;

/** Bars for counts of the same length; both directions have one scale. */
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

/** The points of a line through `values`, over a drawing of width and height 1, for `<polyline>`. */
export function linePoints(values: readonly number[], width: number, height: number): string {
  const highest = Math.max(1, ...values);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, index) => `${(index * step).toFixed(2)},${(height * (1 - value / highest)).toFixed(2)}`)
    .join(" ");
}
