import { createContext, use } from "react";
import type { OrderImage } from "@/components/order/model";
import { isPhotoLost } from "@/components/order/versions";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { showToast } from "@/lib/toasts";

/** Opens the editor of an image's photo. */
export const PhotoEditingContext = createContext<(imageId: number) => void>(() => undefined);

/** Opening the editor of a photo; of an approved page's photo, it says why it does not open. */
export function usePhotoEditing(image: OrderImage, isDeliverable = true) {
  const { t } = useLanguage();
  const open = use(PhotoEditingContext);
  const canEdit = useCanEdit();
  const isOffered = canEdit && isDeliverable && image.url !== null && !isPhotoLost(image);
  const edit = (): void => {
    if (!isOffered) return;
    if (image.approved_at) showToast(t("error.image_approved"), "bad");
    else open(image.id);
  };
  return { isOffered, edit };
}
