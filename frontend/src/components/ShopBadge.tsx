import { useLanguage } from "@/i18n/context";

interface ShopBadgeProps {
  what: "cancelled" | "removed";
  /** A short text for narrow places. */
  short?: boolean;
}

/** Marks an order that the shop cancelled, or a line item that it removed. */
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
