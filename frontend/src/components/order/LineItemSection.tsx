import { memo } from "react";
import { ShopBadge } from "@/components/ShopBadge";
import { useLanguage } from "@/i18n/context";
import type { OptionsToSend } from "./actions";
import { ImageCard } from "./ImageCard";
import type { LineItem } from "./model";
import type { CardRegister } from "./useCardKeys";
import type { Viewed } from "./views";

interface LineItemSectionProps {
  orderNumber: string;
  item: LineItem;
  options: OptionsToSend;
  register: CardRegister;
  onView: (viewed: Viewed) => void;
  /** False if the shop cancelled the order. */
  isDeliverable: boolean;
}

/** One coloring book: its dedication and layout, and its photos. */
export const LineItemSection = memo(function LineItemSection({
  item,
  isDeliverable,
  ...card
}: LineItemSectionProps) {
  const { t } = useLanguage();
  return (
    <section aria-labelledby={`item-${item.id}`} className="mt-7">
      <div className="mb-3 flex flex-wrap items-baseline gap-x-3.5 gap-y-1">
        <h2
          id={`item-${item.id}`}
          tabIndex={-1}
          className="scroll-mt-36 rounded text-lg font-semibold outline-offset-4 md:max-lg:scroll-mt-46"
        >
          {item.title}
          {item.quantity > 1 && <span className="text-mute"> × {item.quantity}</span>}
        </h2>
        {item.removed && <ShopBadge what="removed" />}
        {item.dedication && (
          <p className="text-[13px] text-mute">
            {t("detail.dedication")} <q className="text-ink">{item.dedication}</q>
          </p>
        )}
        {item.layout && (
          <p className="text-[13px] text-mute">
            {t("detail.layout")} <span className="text-ink">{item.layout}</span>
          </p>
        )}
      </div>
      {item.removed && <p className="-mt-1.5 mb-3 text-[13px] text-mute">{t("shop.removed.hint")}</p>}
      {item.images.length === 0 && (
        <p className="rounded-2xl border border-dashed border-line p-8 text-center text-mute">
          {t("detail.noImages")}
        </p>
      )}
      <div className="grid gap-5 min-[2000px]:grid-cols-2">
        {item.images.map((image) => (
          <ImageCard key={image.id} image={image} isDeliverable={isDeliverable && !item.removed} {...card} />
        ))}
      </div>
    </section>
  );
});
