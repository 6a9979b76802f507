import { Notice } from "@/components/Notice";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";

export default function SystemPage() {
  const { t } = useLanguage();
  useTitle(t("system.title"));
  return <Notice icon="settings" title={t("system.title")} text={t("system.text")} />;
}
