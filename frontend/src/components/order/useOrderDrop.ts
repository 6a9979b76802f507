import { useFileDrop } from "@/hooks/useFileDrop";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { isPhotoFile } from "@/lib/photoFiles";
import { showToast } from "@/lib/toasts";
import { deliverableItemsOf } from "./cached-order";
import type { LineItem, Order } from "./model";
import { sendPhotos } from "./photoUploads";

/** The photos among the files; a message names each other one. */
export function usePhotosOf(): (files: readonly File[]) => File[] {
  const { t } = useLanguage();
  return (files) => {
    for (const file of files.filter((one) => !isPhotoFile(one)).slice(0, 3))
      showToast(t("upload.notPhoto", { name: file.name }), "bad");
    return files.filter(isPhotoFile);
  };
}

/**
 * Adds files that are dropped on the order's page to the line item that they are dropped on, else to the last one.
 * The line item while files are dragged over it.
 */
export function useOrderDrop(order: Order): LineItem | null {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const photosOf = usePhotosOf();
  const items = deliverableItemsOf(order);
  const itemAt = (target: Element | null): LineItem | undefined => {
    const id = Number(target?.closest("[data-item]")?.getAttribute("data-item"));
    return items.find((item) => item.id === id) ?? items.at(-1);
  };
  const over = useFileDrop((files, target) => {
    const item = itemAt(target);
    if (!canEdit) showToast(t("error.operator_required"), "bad");
    else if (!item) showToast(t("uploads.noItem"), "bad");
    else sendPhotos(order.order_number, item, photosOf(files));
  });
  return canEdit && over ? (itemAt(over) ?? null) : null;
}
