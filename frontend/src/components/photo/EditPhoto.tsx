import { Icon } from "@/components/Icon";
import type { OrderImage } from "@/components/order/model";
import { useLanguage } from "@/i18n/context";
import { usePhotoEditing } from "./editing";

/** The button that opens the editor of a photo; of an edited one, the link to the original. */
export function EditPhoto({ image, isDeliverable }: { image: OrderImage; isDeliverable: boolean }) {
  const { t } = useLanguage();
  const { isOffered, edit } = usePhotoEditing(image, isDeliverable);
  if (!isOffered && !image.original_url) return null;
  return (
    <div className="flex flex-wrap items-center gap-3">
      {isOffered && (
        <button
          type="button"
          className="button button-small aria-disabled:opacity-50"
          aria-disabled={Boolean(image.approved_at)}
          aria-label={t("photo.edit.of", { position: image.position })}
          onClick={edit}
        >
          <Icon name="crop" />
          {t("photo.edit")}
        </button>
      )}
      {image.original_url && (
        <a href={image.original_url} target="_blank" rel="noreferrer" className="underline">
          {t("photo.original")}
        </a>
      )}
    </div>
  );
}
