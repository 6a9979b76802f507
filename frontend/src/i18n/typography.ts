import type { Language } from "./catalogue";

const NBSP = "\u00a0";

/** A one-letter Czech preposition or conjunction before the next word; it may not end a line. */
const ONE_LETTER = /(?<![\p{L}\p{N}])([AIKOSUVZaikosuvz]) (?=\S)/gu;
/** A number, or its placeholder, before its unit. */
const UNIT = /(\d|\{\w+\}) (?=(?:%|s|ms|min|h|d|B|[kMG]B|Mpx|MP|px|dpi|mm|cm|kč|Kč|Kčs|€)(?![\p{L}\p{N}]))/gu;

/** `text` with non-breaking spaces where a line may not break; the catalogue has plain ones, which are readable. */
export function typeset(text: string, language: Language): string {
  const units = text.replace(UNIT, `$1${NBSP}`);
  return language === "cs" ? units.replace(ONE_LETTER, `$1${NBSP}`) : units;
}
