import { useLanguage } from "@/i18n/context";

/** What the shop took back: a whole order, or a line item of it. */
export function ShopBadge({ what }: { what: "cancelled" | "removed" }) {
  const { t } = useLanguage();
  return (
    <span
      data-shop={what}
      title={t(`shop.${what}.hint`)}
      className="status-badge inline-flex rounded-full bg-red-100 px-2.5 py-0.5 text-xs font-medium whitespace-nowrap text-red-800"
    >
      {t(`shop.${what}`)}
    </span>
  );
}
