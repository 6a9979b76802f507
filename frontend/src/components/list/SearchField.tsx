import { useEffect, useState, type RefObject } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";

const TYPING_MS = 200;

interface SearchFieldProps {
  value: string;
  onChange: (value: string) => void;
  field: RefObject<HTMLInputElement | null>;
}

/** The search field: debounces the typing, and follows changes of the URL. */
export function SearchField({ value, onChange, field }: SearchFieldProps) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onChange(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <div className="flex h-9 w-full items-center gap-2 rounded-[9px] border border-line bg-card px-3 focus-within:border-mute sm:max-w-80">
      <Icon name="search" className="size-4 shrink-0 text-mute" />
      <input
        ref={field}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        aria-label={t("list.search")}
        placeholder={t("list.search")}
        className="min-w-0 flex-1 bg-transparent outline-none placeholder:text-mute"
      />
      {typed ? (
        <button
          type="button"
          aria-label={t("list.searchClear")}
          className="icon-button -mr-2"
          onClick={() => {
            setTyped("");
            onChange("");
          }}
        >
          <Icon name="close" />
        </button>
      ) : (
        <kbd className="max-sm:hidden">/</kbd>
      )}
    </div>
  );
}
