import type { Language } from "@/i18n/catalogue";
import { translate } from "@/i18n/translate";
import { formatClock, formatDay, formatDayAndTime } from "./dates";

const MINUTE_MS = 60_000;
const RELATIVE_UNTIL_MINUTES = 60;

const relative = (language: Language) =>
  new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });

const RELATIVE = { cs: relative("cs"), en: relative("en") };

/** A time relative to `now` (ms) in short form: minutes ago, a time of day, or a date. */
export function when(time: string, now: number, language: Language): string {
  const at = new Date(time);
  const today = new Date(now);
  const minutes = Math.max(0, Math.floor((now - at.getTime()) / MINUTE_MS));
  if (minutes === 0) return translate(language, "when.now");
  if (minutes < RELATIVE_UNTIL_MINUTES) return RELATIVE[language].format(-minutes, "minute");
  if (at.toDateString() === today.toDateString())
    return `${RELATIVE[language].format(0, "day")} ${formatClock(at)}`;
  return at.getFullYear() === today.getFullYear()
    ? formatDayAndTime(at, language, false)
    : formatDay(at, language);
}
