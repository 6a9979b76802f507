import { useLanguage } from "@/i18n/context";

/** The skeleton of the page while the order loads. */
export function OrderSkeleton() {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("detail.loading")} className="animate-breathe">
      <div className="mt-8 h-7 w-40 rounded-lg bg-soft" />
      <div className="mt-4 h-4 w-96 max-w-full rounded bg-soft" />
      <div className="mt-6 h-11 rounded-xl bg-soft" />
      <div className="mt-6 grid gap-5 sm:grid-cols-2 xl:grid-cols-3">
        {[0, 1, 2].map((card) => (
          <div key={card} className="overflow-hidden rounded-2xl border border-line bg-card pb-48">
            <div className="aspect-4/3 bg-soft" />
          </div>
        ))}
      </div>
    </div>
  );
}
