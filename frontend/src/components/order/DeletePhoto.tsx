import * as Dialog from "@radix-ui/react-dialog";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ConfirmDialog, DANGER } from "@/components/ConfirmDialog";
import { useLanguage } from "@/i18n/context";
import { failureSentence, isChangedMeanwhile } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { deletePhoto, fetchPhoto, type ReadPhoto } from "@/lib/photoApi";
import { showToast } from "@/lib/toasts";
import type { OrderImage } from "./model";

interface DeletePhotoProps {
  orderNumber: string;
  image: OrderImage;
  onClose: () => void;
}

/** Asks, then deletes a photo as it is when the question is shown. */
export function DeletePhoto({ orderNumber, image, onClose }: DeletePhotoProps) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const name = t("detail.photo", { position: image.position });
  const { data: read, error: unread } = useQuery({
    queryKey: ["photo", image.id],
    queryFn: () => fetchPhoto(image.id),
    // The question is about the photo as it is now.
    gcTime: 0,
    staleTime: 0,
  });
  const deletion = useMutation({
    mutationFn: (photo: ReadPhoto) => deletePhoto(photo),
    onSuccess: () => {
      showToast(t("photo.deleted", { name }));
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(orderNumber) }),
  });
  const error = deletion.error ?? unread;
  const text = isChangedMeanwhile(error) ? t("photo.changedMeanwhile") : error && failureSentence(error, t);
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <ConfirmDialog
        title={t("photo.delete.title", { name })}
        text={t("photo.delete.text")}
        notice={
          text && (
            <p role="alert" className="mt-3 rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
              {text}
            </p>
          )
        }
      >
        <Dialog.Close className="button">{t("detail.delete.keep")}</Dialog.Close>
        <button
          type="button"
          className={`button ${DANGER}`}
          disabled={!read || deletion.isPending}
          onClick={() => read && deletion.mutate(read)}
        >
          {t("photo.delete.confirm")}
        </button>
      </ConfirmDialog>
    </Dialog.Root>
  );
}
