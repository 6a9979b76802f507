import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";

export function ListPage() {
  const { t } = useLanguage();
  useTitle(t("list.title"));
  return <h1 className="text-[22px] font-semibold tracking-tight">{t("list.title")}</h1>;
}
