const NBSP = "\u00a0";
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** A duration in its two largest units: "12 s", "2 min 5 s", "4 d 2 h". Never negative. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const largest = UNITS.findIndex(([, size]) => seconds >= size);
  if (largest === -1) return `0${NBSP}s`;
  let rest = seconds;
  const parts = UNITS.slice(largest, largest + 2).map(([unit, size]) => {
    const whole = Math.floor(rest / size);
    rest %= size;
    return whole === 0 ? "" : `${whole}${NBSP}${unit}`;
  });
  return parts.filter(Boolean).join(" ");
}
