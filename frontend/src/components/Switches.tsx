import { useLanguage } from "@/i18n/context";
import { setTheme, useTheme } from "@/lib/theme";
import { Icon } from "./Icon";

/** Switches between the light and the dark theme. */
export function ThemeSwitch() {
  const { t } = useLanguage();
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  const label = other === "dark" ? t("theme.toDark") : t("theme.toLight");
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => setTheme(other)}
    >
      <Icon name={other === "dark" ? "moon" : "sun"} className="size-[18px]" />
    </button>
  );
}

/** Switches between Czech and English. */
export function LanguageSwitch() {
  const { language, setLanguage, t } = useLanguage();
  const other = language === "cs" ? "en" : "cs";
  const short = other.toUpperCase();
  return (
    <button
      type="button"
      lang={other}
      className="h-7 rounded-lg border border-line px-2 text-xs font-medium text-mute transition-colors hover:text-ink"
      aria-label={`${short}: ${t("language.switch")}`}
      title={t("language.switch")}
      onClick={() => setLanguage(other)}
    >
      {short}
    </button>
  );
}
