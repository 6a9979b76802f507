import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { LANGUAGES, type Language } from "./catalogue";
import { LanguageContext, type Translate } from "./context";
import { translate } from "./translate";

const STORED = "pastelka.language";

function stored(): Language {
  const value = localStorage.getItem(STORED);
  return LANGUAGES.find((language) => language === value) ?? "cs";
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(stored);
  const t = useCallback<Translate>((key, values) => translate(language, key, values), [language]);
  useEffect(() => {
    localStorage.setItem(STORED, language);
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo(() => ({ language, setLanguage, t }), [language, t]);
  return <LanguageContext value={value}>{children}</LanguageContext>;
}
