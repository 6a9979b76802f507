import type { Language } from "@/i18n/catalogue";
import { translate } from "@/i18n/translate";

const MINUTE_MS = 60_000;
const RELATIVE_UNTIL_MINUTES = 60;

const formats = (language: Language) => ({
  relative: new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }),
  clock: new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }),
  full: new Intl.DateTimeFormat(language, { day: "numeric", month: "numeric", year: "numeric" }),
});

const FORMATS = { cs: formats("cs"), en: formats("en") };

/** A time relative to `now` (ms) in short form: minutes ago, a time of day, or a date. */
export function when(time: string, now: number, language: Language): string {
  const { relative, clock, day, full } = FORMATS[language];
  const at = new Date(time);
  const today = new Date(now);
  const minutes = Math.max(0, Math.floor((now - at.getTime()) / MINUTE_MS));
  if (minutes === 0) return translate(language, "when.now");
  if (minutes < RELATIVE_UNTIL_MINUTES) return relative.format(-minutes, "minute");
  if (at.toDateString() === today.toDateString()) return `${relative.format(0, "day")} ${clock.format(at)}`;
  return (at.getFullYear() === today.getFullYear() ? day : full).format(at);
}
