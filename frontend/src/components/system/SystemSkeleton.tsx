import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { CARD } from "./Section";

const box = (height: string) => <div className={cn(CARD, height, "animate-breathe")} />;

/** The skeleton of the page, with about the heights of the loaded boxes. */
export function SystemSkeleton() {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("system.loading")}>
      <div className="h-8 w-40 rounded-lg bg-soft" />
      <div className="mt-[70px] grid gap-3 lg:grid-cols-2">
        {box("h-[217px]")}
        {box("h-[217px]")}
      </div>
      <div className="mt-[70px] grid grid-cols-2 gap-3 lg:grid-cols-4">
        {box("h-28")}
        {box("h-28")}
        {box("h-28")}
        {box("h-28")}
      </div>
      <div className="mt-[70px]">{box("h-72")}</div>
    </div>
  );
}
