import type { Language } from "@/i18n/catalogue";

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-29`, in local time. */
function isoDate(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `29. 11.`, with the year `29. 11. 2026`; its parts stay on one line. */
function czechDate(at: Date, year: boolean): string {
  const parts = [`${at.getDate()}.`, `${at.getMonth() + 1}.`, ...(year ? [String(at.getFullYear())] : [])];
  return parts.join("\u00a0");
}

/** Time of day on a 24-hour clock: `07:05`, with `seconds` `07:05:09`. */
export function formatClock(time: Date | number | string, seconds = false): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), ...(seconds ? [at.getSeconds()] : [])].map(two).join(":");
}

/** A day: `29. 11. 2026` in Czech, `2026-11-29` in English. Czech leaves out the year if `year` is false. */
export function formatDay(time: Date | number | string, language: Language, year = true): string {
  const at = new Date(time);
  return language === "cs" ? czechDate(at, year) : isoDate(at);
}

/** A day and its time: `29. 11. 2026 07:05` in Czech, `2026-11-29 07:05` in English. */
export function formatDayAndTime(time: Date | number | string, language: Language, year = true): string {
  return `${formatDay(time, language, year)} ${formatClock(time)}`;
}
