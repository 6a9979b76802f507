import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { fetchPhoto, movePhoto, replacementRequest } from "@/lib/photoApi";
import { showToast } from "@/lib/toasts";
import { addUploads } from "@/lib/uploads";

export interface PhotoChanges {
  isPending: boolean;
  /** Make it the `position`-th (from 1) of a line item. */
  move: (lineItemId: number, position: number) => void;
  replace: (file: File) => void;
}

/** Moves and replaces a photo; the order is read again afterwards. */
export function usePhotoChanges(orderNumber: string, imageId: number): PhotoChanges {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onError: (error) => showToast(failureSentence(error, t), "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(orderNumber) }),
  });
  return {
    isPending,
    move: (lineItemId, position) => mutate(() => movePhoto(imageId, lineItemId, position)),
    replace: (file) =>
      mutate(async () => {
        const photo = await fetchPhoto(imageId);
        const lineItemId = photo.state.line_item_id;
        addUploads([
          { orderNumber, lineItemId, file, request: replacementRequest(photo), position: undefined },
        ]);
      }),
  };
}
