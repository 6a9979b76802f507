import { useLanguage } from "@/i18n/context";

const ROWS = 10;

/** Empty rows with the height of loaded ones. */
export function ListSkeleton() {
  const { t } = useLanguage();
  return (
    <div
      role="status"
      aria-label={t("list.loading")}
      className="overflow-hidden rounded-[14px] border border-line bg-card shadow-card"
    >
      <div className="h-10 border-b border-line" />
      {Array.from({ length: ROWS }, (_, row) => (
        <div
          key={row}
          className="flex h-[172px] animate-breathe items-center gap-6 border-b border-line px-4 sm:h-[124px] xl:h-16"
        >
          <i className="size-4 rounded bg-soft" />
          <i className="h-4 w-16 rounded bg-soft" />
          <i className="h-4 w-32 rounded bg-soft" />
          <i className="h-10 w-28 rounded-lg bg-soft max-xl:hidden" />
          <i className="h-3 flex-1 rounded bg-soft max-sm:hidden" />
          <i className="ml-auto h-5 w-24 rounded-full bg-soft max-sm:hidden" />
        </div>
      ))}
    </div>
  );
}
