import { createContext, use } from "react";
import type { Language, TextKey } from "./catalogue";
import { translate, type Values } from "./translate";

export type Translate = (key: TextKey, values?: Values) => string;

interface LanguageState {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
}

export const LanguageContext = createContext<LanguageState>({
  language: "cs",
  setLanguage: () => undefined,
  t: (key, values) => translate("cs", key, values),
});

/** The current language and `t(key, values)`, which returns a text of the catalogue. */
export function useLanguage(): LanguageState {
  return use(LanguageContext);
}
