import { lazy, Suspense } from "react";
import { Icon } from "@/components/Icon";
import type { BulkProgress } from "@/hooks/useBulkRun";
import type { Matching } from "@/hooks/useSelectMatching";
import { useLanguage, type Translate } from "@/i18n/context";
import type { Presets } from "@/lib/api";
import type { BulkAction } from "@/lib/bulkActions";
import type { ZipContent } from "@/lib/bulkFiles";
import type { OptionsForm } from "@/lib/options";
import { PresetPicker } from "./PresetPicker";

const BulkMenu = lazy(() => import("./BulkMenu"));

interface SelectionBarProps {
  count: number;
  /** Progress of the requests; null while there are none. */
  progress: BulkProgress | null;
  /** Progress of the books; null while none are composed. */
  books: BulkProgress | null;
  /** Whether a ZIP is being fetched. */
  isZipping: boolean;
  /** Whether an action is in progress: no other one starts. */
  isBusy: boolean;
  form: OptionsForm;
  presets: Presets | undefined;
  onOptions: (form: OptionsForm) => void;
  onAct: (action: BulkAction) => void;
  onZip: (what: ZipContent) => void;
  onBooks: () => void;
  onClear: () => void;
  matching: Matching;
}

function stateText({ count, progress, books, isZipping }: SelectionBarProps, t: Translate): string {
  if (books) return t("list.books.busy", { ...books });
  if (isZipping) return t("list.zip.busy");
  return progress ? t("list.busy", { ...progress }) : t("list.selected", { count });
}

function matchingText({ isBusy, total }: Matching, t: Translate): string {
  if (isBusy) return t("list.selecting");
  return total === null ? t("list.selectMatching") : t("list.selectAllMatching", { count: total });
}

function Key({ name }: { name: string }) {
  return (
    <kbd aria-hidden className="-mr-1 max-md:hidden">
      {name}
    </kbd>
  );
}

/** Actions for the selected orders; floats, so that the list does not move. */
export function SelectionBar(props: SelectionBarProps) {
  const { form, presets, isBusy, onOptions, matching, onAct } = props;
  const { t } = useLanguage();
  return (
    <section
      aria-label={t("list.actions")}
      data-floating
      className="fixed inset-x-3 bottom-4 z-30 mx-auto flex w-fit max-w-[calc(100vw-1.5rem)] animate-appear flex-wrap items-center justify-center gap-2 rounded-2xl border border-line bg-card p-2 shadow-float"
    >
      <button type="button" className="icon-button" aria-label={t("list.unselect")} onClick={props.onClear}>
        <Icon name="close" />
      </button>
      <span role="status" className="pr-2 font-medium whitespace-nowrap tabular-nums max-sm:mr-auto">
        {stateText(props, t)}
      </span>
      {(matching.isOffered || matching.isBusy) && (
        <button
          type="button"
          className="button button-small"
          disabled={matching.isBusy}
          onClick={() => void matching.select()}
        >
          {matchingText(matching, t)}
        </button>
      )}
      <PresetPicker form={form} presets={presets} onChange={onOptions} />
      <button
        type="button"
        className="button button-small button-primary"
        disabled={isBusy}
        onClick={() => onAct("coloring")}
      >
        {t("list.coloring")}
        <Key name="c" />
      </button>
      <button type="button" className="button button-small" disabled={isBusy} onClick={() => onAct("svg")}>
        {t("list.svg")}
        <Key name="v" />
      </button>
      <button type="button" className="button button-small" disabled={isBusy} onClick={props.onBooks}>
        {t("list.books")}
      </button>
      <Suspense>
        <BulkMenu isBusy={isBusy} onAct={onAct} onZip={props.onZip} />
      </Suspense>
    </section>
  );
}
