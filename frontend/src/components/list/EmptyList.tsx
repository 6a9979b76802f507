import { Notice } from "@/components/Notice";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import type { OrderFilter } from "@/lib/api";

interface EmptyListProps {
  filter: OrderFilter;
  onClear: () => void;
  onNew: () => void;
}

/** Replaces an empty list: no order matches the filter, or there is none yet. */
export function EmptyList({ filter, onClear, onNew }: EmptyListProps) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  if (filter.q || filter.stage)
    return (
      <Notice icon="search" title={t("list.nothing.title")} text={t("list.nothing.text")}>
        <button type="button" className="button" onClick={onClear}>
          {t("list.nothing.clear")}
        </button>
      </Notice>
    );
  if (!canEdit) return <Notice icon="photo" title={t("list.empty.title")} text={t("list.empty.viewer")} />;
  return (
    <Notice icon="photo" title={t("list.empty.title")} text={t("list.empty.text")}>
      <button type="button" className="button button-primary" onClick={onNew}>
        {t("upload.pick")}
      </button>
    </Notice>
  );
}
