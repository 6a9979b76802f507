import { Icon } from "@/components/Icon";
import type { BulkProgress } from "@/hooks/useBulkGenerate";
import type { Matching } from "@/hooks/useSelectMatching";
import { useLanguage } from "@/i18n/context";
import type { Presets } from "@/lib/api";
import type { OptionsForm } from "@/lib/options";
import { PresetPicker } from "./PresetPicker";

interface SelectionBarProps {
  count: number;
  /** Progress of the requests; null while there are none. */
  progress: BulkProgress | null;
  /** Progress of the books; null while none are composed. */
  books: BulkProgress | null;
  form: OptionsForm;
  presets: Presets | undefined;
  onOptions: (form: OptionsForm) => void;
  onColor: () => void;
  onVectorise: () => void;
  onBooks: () => void;
  onClear: () => void;
  matching: Matching;
}

function Key({ name }: { name: string }) {
  return (
    <kbd aria-hidden className="-mr-1 max-md:hidden">
      {name}
    </kbd>
  );
}

/** Actions for the selected orders; floats, so that the list does not move. */
export function SelectionBar({
  count,
  progress,
  books,
  form,
  presets,
  onOptions,
  matching,
  ...actions
}: SelectionBarProps) {
  const { t } = useLanguage();
  const state = progress ? t("list.busy", { ...progress }) : t("list.selected", { count });
  return (
    <section
      aria-label={t("list.actions")}
      data-floating
      className="fixed inset-x-3 bottom-4 z-30 mx-auto flex w-fit max-w-[calc(100vw-1.5rem)] animate-appear flex-wrap items-center justify-center gap-2 rounded-2xl border border-line bg-card p-2 shadow-float"
    >
      <button type="button" className="icon-button" aria-label={t("list.unselect")} onClick={actions.onClear}>
        <Icon name="close" />
      </button>
      <span role="status" className="pr-2 font-medium whitespace-nowrap tabular-nums max-sm:mr-auto">
        {books ? t("list.books.busy", { ...books }) : state}
      </span>
      {(matching.isOffered || matching.isBusy) && (
        <button
          type="button"
          className="button button-small"
          disabled={matching.isBusy}
          onClick={() => void matching.select()}
        >
          {t(matching.isBusy ? "list.selecting" : "list.selectMatching")}
        </button>
      )}
      <PresetPicker form={form} presets={presets} onChange={onOptions} />
      <button
        type="button"
        className="button button-small button-primary"
        disabled={progress !== null}
        onClick={actions.onColor}
      >
        {t("list.color")}
        <Key name="c" />
      </button>
      <button
        type="button"
        className="button button-small"
        disabled={progress !== null}
        onClick={actions.onVectorise}
      >
        {t("list.vectorise")}
        <Key name="v" />
      </button>
      <button
        type="button"
        className="button button-small"
        disabled={progress !== null || books !== null}
        onClick={actions.onBooks}
      >
        {t("list.books")}
      </button>
    </section>
  );
}
