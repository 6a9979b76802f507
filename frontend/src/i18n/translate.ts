import { CATALOGUE, type Language, type Text, type TextKey } from "./catalogue";
import { typeset } from "./typography";

export type Values = Record<string, string | number>;

const rules: Record<Language, Intl.PluralRules> = {
  cs: new Intl.PluralRules("cs"),
  en: new Intl.PluralRules("en"),
};

const numbers: Record<Language, Intl.NumberFormat> = {
  cs: new Intl.NumberFormat("cs"),
  en: new Intl.NumberFormat("en"),
};

function form(text: Text, language: Language, count: unknown): string {
  if (typeof text === "string") return text;
  return text[rules[language].select(Number(count))] ?? text.other;
}

/** Each form of a text is typeset once. */
const ready: Record<Language, Map<string, string>> = { cs: new Map(), en: new Map() };

function typesetOnce(text: string, language: Language): string {
  const known = ready[language].get(text) ?? typeset(text, language);
  ready[language].set(text, known);
  return known;
}

/** The text of `key` in `language`: `values.count` selects the plural form, each `{name}` is substituted. */
export function translate(language: Language, key: TextKey, values: Values = {}): string {
  const chosen = typesetOnce(form(CATALOGUE[language][key], language, values["count"]), language);
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers[language].format(value) : value;
  });
}

/** Whether the catalogue has this key; for keys that are built from the API's statuses. */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(CATALOGUE.cs, key);
}
