import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";

/** Icon link to the order in the shop's administration; nothing if the order has none. */
export function ShopSign({ url }: { url: string | null | undefined }) {
  const { t } = useLanguage();
  if (!url) return null;
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      aria-label={t("shop.open")}
      title={t("shop.open")}
      // Stacked above the link that covers the row.
      className="relative z-10 -m-1.5 inline-grid size-7 place-items-center rounded-md align-middle text-mute hover:text-ink"
    >
      <Icon name="external" className="size-3.5" />
    </a>
  );
}
