import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";

interface SelectionBarProps {
  count: number;
  busy: boolean;
  onColor: () => void;
  onVectorise: () => void;
  onClear: () => void;
}

/** What can be done with the selected orders; floats, so that the list does not move. */
export function SelectionBar({ count, busy, onColor, onVectorise, onClear }: SelectionBarProps) {
  const { t } = useLanguage();
  return (
    <div className="fixed inset-x-3 bottom-4 z-30 mx-auto flex w-fit max-w-[calc(100vw-1.5rem)] animate-appear flex-wrap items-center justify-center gap-2 rounded-2xl border border-line bg-card p-2 shadow-float">
      <span role="status" className="px-2 font-medium tabular-nums">
        {t("list.selected", { count })}
      </span>
      <button type="button" className="button button-small button-primary" disabled={busy} onClick={onColor}>
        {t("list.color")}
      </button>
      <button type="button" className="button button-small" disabled={busy} onClick={onVectorise}>
        {t("list.vectorise")}
      </button>
      <button type="button" className="icon-button" aria-label={t("list.unselect")} onClick={onClear}>
        <Icon name="close" />
      </button>
    </div>
  );
}
