import { useLanguage } from "@/i18n/context";
import type { OrderImage } from "./model";
import { chosenVersion, hasFailed, isActive } from "./versions";

/** What a small sheet says in place of its versions: only what is open; an approved page is silent. */
export function SheetMarks({ image }: { image: OrderImage }) {
  const { t } = useLanguage();
  if (image.error || hasFailed(image, "coloring") || hasFailed(image, "svg"))
    return <span className="font-medium text-bad">{t("sheet.mark.failed")}</span>;
  if ([...image.versions.coloring, ...image.versions.svg].some(isActive))
    return <span className="text-run">{t("sheet.mark.working")}</span>;
  if (image.approved_at) return <span>{t("review.approved")}</span>;
  return chosenVersion(image, "coloring") ? (
    <span className="text-ink">{t("sheet.mark.toReview")}</span>
  ) : null;
}
