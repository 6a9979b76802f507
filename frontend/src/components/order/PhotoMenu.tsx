import * as Menu from "@radix-ui/react-dropdown-menu";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { PhotoInput } from "@/components/FilePicker";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { orderKey } from "@/lib/orderQuery";
import { deliverableItemsOf } from "./cached-order";
import { DeletePhoto } from "./DeletePhoto";
import type { Order, OrderImage } from "./model";
import { usePhotosOf } from "./useOrderDrop";
import { usePhotoChanges, type PhotoChanges } from "./usePhotoChanges";

const ITEM =
  "flex cursor-pointer items-center rounded-[8px] px-3 py-2 outline-none data-disabled:cursor-default data-disabled:opacity-45 data-highlighted:bg-soft";

interface PhotoMenuProps {
  orderNumber: string;
  image: OrderImage;
}

/** What can be done to the photo itself. An approval freezes the photo, but not its place. */
export function PhotoMenu({ orderNumber, image }: PhotoMenuProps) {
  const { t } = useLanguage();
  const file = useRef<HTMLInputElement>(null);
  const photosOf = usePhotosOf();
  const changes = usePhotoChanges(orderNumber, image.id);
  const [isDeleting, setDeleting] = useState(false);
  const label = t("photo.menu", { name: t("detail.photo", { position: image.position }) });
  const isFrozen = image.approved_at !== undefined;
  return (
    <>
      <Menu.Root modal={false}>
        <Menu.Trigger className="icon-button" aria-label={label} title={label} aria-busy={changes.isPending}>
          <Icon name="more" />
        </Menu.Trigger>
        {/* The card would clip it; all content belongs to a landmark. */}
        <Menu.Portal container={document.getElementById("main")}>
          <Menu.Content
            align="end"
            sideOffset={6}
            collisionPadding={12}
            className="z-30 max-w-72 min-w-52 rounded-xl border border-line bg-card p-1 shadow-float"
          >
            <Menu.Item className={ITEM} disabled={isFrozen} onSelect={() => file.current?.click()}>
              {t("photo.replace")}
            </Menu.Item>
            <Places orderNumber={orderNumber} image={image} changes={changes} />
            <Menu.Item className={`${ITEM} text-bad`} disabled={isFrozen} onSelect={() => setDeleting(true)}>
              {t("photo.delete")}
            </Menu.Item>
            {isFrozen && <p className="px-3 py-2 text-[12px] text-mute">{t("photo.frozen")}</p>}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
      <PhotoInput
        field={file}
        testId={`replace-${image.id}`}
        onFiles={(files) => {
          const [photo] = photosOf(files);
          if (photo) changes.replace(photo);
        }}
      />
      {isDeleting && (
        <DeletePhoto orderNumber={orderNumber} image={image} onClose={() => setDeleting(false)} />
      )}
    </>
  );
}

/** Where the photo can be moved. The order is read when the menu opens: a card depends on its own image only. */
function Places({ orderNumber, image, changes }: PhotoMenuProps & { changes: PhotoChanges }) {
  const { t } = useLanguage();
  const order = useQueryClient().getQueryData<Order>(orderKey(orderNumber));
  const items = order ? deliverableItemsOf(order) : [];
  const item = items.find(({ images }) => images.some(({ id }) => id === image.id));
  if (!item) return null;
  const place = item.images.findIndex(({ id }) => id === image.id);
  return (
    <>
      <Menu.Item className={ITEM} disabled={place === 0} onSelect={() => changes.move(item.id, place)}>
        {t("photo.earlier")}
      </Menu.Item>
      <Menu.Item
        className={ITEM}
        disabled={place === item.images.length - 1}
        onSelect={() => changes.move(item.id, place + 2)}
      >
        {t("photo.later")}
      </Menu.Item>
      {items.map(
        (other, index) =>
          other !== item && (
            <Menu.Item
              key={other.id}
              className={ITEM}
              onSelect={() => changes.move(other.id, other.images.length + 1)}
            >
              <span className="min-w-0 truncate" title={other.title}>
                {t("photo.moveTo", { title: other.title, place: index + 1 })}
              </span>
            </Menu.Item>
          ),
      )}
    </>
  );
}
