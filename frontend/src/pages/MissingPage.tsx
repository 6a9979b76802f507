import { Link } from "react-router";
import { Notice } from "@/components/Notice";
import { useLanguage } from "@/i18n/context";
import { useTitle } from "@/hooks/useTitle";

export function MissingPage() {
  const { t } = useLanguage();
  useTitle(t("missing.title"));
  return (
    <Notice icon="search" heading="h1" title={t("missing.title")} text={t("missing.text")}>
      <Link to="/" className="button">
        {t("missing.back")}
      </Link>
    </Notice>
  );
}
