import { memo } from "react";
import { useLanguage } from "@/i18n/context";
import type { OptionsToSend } from "./actions";
import { ImageCard } from "./ImageCard";
import { LineItemHead } from "./LineItemHead";
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
      <LineItemHead
        orderNumber={card.orderNumber}
        item={item}
        isDeliverable={isDeliverable && !item.removed}
      />
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
