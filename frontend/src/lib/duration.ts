const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
] as const;

/** How long something takes, in its two largest units: "12 s", "5 min", "3 h 12 min", "4 d 2 h". Never negative. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const largest = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[largest] ?? ["s", 1];
  const [smaller, smallerSize] = UNITS[largest + 1] ?? [];
  const whole = `${Math.floor(seconds / size)} ${unit}`;
  if (largest === -1 || smaller === undefined) return whole;
  const rest = Math.floor((seconds % size) / smallerSize);
  return rest === 0 ? whole : `${whole} ${rest} ${smaller}`;
}
