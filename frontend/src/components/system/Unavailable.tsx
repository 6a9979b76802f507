import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { CARD } from "./Section";

/** Replaces values that are unknown because NATS or the database is unavailable. */
export function Unavailable() {
  const { t } = useLanguage();
  return (
    <p className={cn(CARD, "flex items-center gap-2.5 px-4 py-5 text-mute")}>
      <Icon name="question" className="size-[18px] shrink-0" />
      {t("system.untold")}
    </p>
  );
}
