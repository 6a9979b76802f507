import { memo } from "react";
import { FilePicker } from "@/components/FilePicker";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import type { OptionsToSend } from "./actions";
import { ImageCard } from "./ImageCard";
import type { SheetSize } from "./sheetSize";
import { LineItemHead } from "./LineItemHead";
import type { LineItem } from "./model";
import { sendPhotos } from "./photoUploads";
import { UploadTiles } from "./UploadTiles";
import type { CardRegister } from "./useCardKeys";
import { usePhotosOf } from "./useOrderDrop";
import type { Viewed } from "./views";

interface LineItemSectionProps {
  orderNumber: string;
  item: LineItem;
  options: OptionsToSend;
  size: SheetSize;
  register: CardRegister;
  onView: (viewed: Viewed) => void;
  /** False if the shop cancelled the order. */
  isDeliverable: boolean;
  /** Whether it can be removed: of a manual order, which keeps another one. */
  isRemovable: boolean;
}

const GRID: Record<SheetSize, string> = {
  large: "gap-5 min-[125rem]:grid-cols-2",
  medium: "items-start gap-5 sm:grid-cols-2 xl:grid-cols-3 min-[125rem]:grid-cols-5",
  small: "items-start gap-3 grid-cols-2 sm:grid-cols-4 xl:grid-cols-6 min-[125rem]:grid-cols-10",
};

/** One coloring book: its dedication and layout, and its photos. */
export const LineItemSection = memo(function LineItemSection({
  item,
  isDeliverable,
  isRemovable,
  ...card
}: LineItemSectionProps) {
  const { t } = useLanguage();
  const photosOf = usePhotosOf();
  const isOpen = isDeliverable && !item.removed;
  return (
    <section aria-labelledby={`item-${item.id}`} data-item={item.id} className="mt-7 max-md:mt-5">
      <LineItemHead
        orderNumber={card.orderNumber}
        item={item}
        isDeliverable={isOpen}
        isRemovable={isRemovable}
      />
      {item.removed && <p className="-mt-1.5 mb-3 text-[13px] text-mute">{t("shop.removed.hint")}</p>}
      {item.images.length === 0 && (
        <p className="rounded-2xl border border-dashed border-line p-8 text-center text-mute">
          {t("detail.noImages")}
        </p>
      )}
      <div className={`grid ${GRID[card.size]}`}>
        {item.images.map((image) => (
          <ImageCard key={image.id} image={image} isDeliverable={isOpen} {...card} />
        ))}
      </div>
      {isOpen && (
        <ForOperators>
          <UploadTiles item={item} />
          <div className="mt-4">
            <FilePicker
              label={t("uploads.add.to", { title: item.title })}
              testId={`add-photos-${item.id}`}
              onFiles={(files) => sendPhotos(card.orderNumber, item, photosOf(files))}
            >
              <Icon name="plus" />
              {t("uploads.add")}
            </FilePicker>
          </div>
        </ForOperators>
      )}
    </section>
  );
});
