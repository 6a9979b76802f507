import { Icon } from "@/components/Icon";
import type { OrderImage } from "@/components/order/model";
import { useLanguage } from "@/i18n/context";
import { usePhotoEditing } from "./editing";

/** The button that opens the editor of a photo. */
export function EditPhoto({ image, isDeliverable }: { image: OrderImage; isDeliverable: boolean }) {
  const { t } = useLanguage();
  const { isOffered, edit } = usePhotoEditing(image, isDeliverable);
  if (!isOffered) return null;
  const label = t("photo.edit.of", { position: image.position });
  return (
    <button
      type="button"
      className="icon-button aria-disabled:opacity-50"
      aria-disabled={Boolean(image.approved_at)}
      aria-label={label}
      title={label}
      onClick={edit}
    >
      <Icon name="crop" />
    </button>
  );
}
