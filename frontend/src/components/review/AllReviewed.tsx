import { Link, useNavigate } from "react-router";
import { Notice } from "@/components/Notice";
import { useLanguage } from "@/i18n/context";
import { useShortcuts } from "@/lib/shortcuts";
import type { Decisions } from "./useDecisions";

/** Nothing is left; the last decision can still be undone. */
export function AllReviewed({ listPath, decisions }: { listPath: string; decisions: Decisions }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const { canUndo, undo } = decisions;
  useShortcuts([
    ...(canUndo ? [{ key: "u", label: t("review.undo"), run: undo }] : []),
    { key: "Escape", label: t("review.key.leave"), run: () => void navigate(listPath) },
  ]);
  return (
    <Notice icon="check" heading="h1" title={t("review.done.title")} text={t("review.done.text")}>
      <Link to={listPath} className="button button-primary">
        {t("review.leave")}
      </Link>
      {canUndo && (
        <button type="button" className="button" onClick={undo}>
          {t("review.undo")}
        </button>
      )}
    </Notice>
  );
}
