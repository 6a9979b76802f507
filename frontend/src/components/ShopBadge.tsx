import { useLanguage } from "@/i18n/context";

interface ShopBadgeProps {
  what: "cancelled" | "removed";
  /** One word, where there is little room. */
  short?: boolean;
}

/** What the shop took back: a whole order, or a line item of it. */
export function ShopBadge({ what, short = false }: ShopBadgeProps) {
  const { t } = useLanguage();
  return (
    <span
      data-shop={what}
      title={t(`shop.${what}.hint`)}
      className="status-badge inline-flex rounded-full bg-red-100 px-2.5 py-0.5 text-xs font-medium whitespace-nowrap text-red-800"
    >
      {t(short ? `shop.${what}.short` : `shop.${what}`)}
    </span>
  );
}
