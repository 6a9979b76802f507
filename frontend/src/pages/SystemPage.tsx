import { Notice } from "@/components/Notice";
import { useMercure } from "@/hooks/useMercure";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";

export default function SystemPage() {
  const { t } = useLanguage();
  useTitle(t("system.title"));
  // For the connection light.
  useMercure(["orders"]);
  return <Notice icon="settings" title={t("system.title")} text={t("system.text")} />;
}
