import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { Review } from "@/components/review/Review";
import { useListFilter } from "@/hooks/useListFilter";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";

/** Reviews the pages of the orders in the address's filter: `q`, `stage` (to review by default), first `from`. */
export default function ReviewPage() {
  const { t } = useLanguage();
  const [params] = useSearchParams();
  const [{ q, stage }] = useListFilter();
  const filter = useMemo(() => ({ q, stage: stage ?? ("to_review" as const) }), [q, stage]);
  useTitle(t("review.title"));
  const listPath = q ? `/?q=${encodeURIComponent(q)}` : "/";
  return <Review key={params.toString()} filter={filter} from={params.get("from")} listPath={listPath} />;
}
