import { useMutation, useQueryClient } from "@tanstack/react-query";
import { withVersion } from "@/components/order/cached-order";
import type { Order, OrderImage } from "@/components/order/model";
import { obstacleTo } from "@/components/order/versions";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import { failureSentence, failureTone } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { listedPresets } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";
import type { ReviewPreset } from "./useReviewKeys";

interface Wanted {
  orderNumber: string;
  imageId: number;
  preset: ReviewPreset;
}

/**
 * Makes another candidate of an image by a preset; one request at a time. A request waits for the presets, so
 * that a key before they arrive is not lost.
 */
export function useCandidate(orderNumber: string, image: OrderImage): (preset: ReviewPreset) => void {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: async ({ imageId, preset }: Wanted) => {
      const { items } = await listedPresets(queries);
      const options = items.find(({ name }) => name === preset)?.options;
      return options && api.generateImageColoring(imageId, options);
    },
    onSuccess: (answer, wanted) =>
      answer &&
      queries.setQueryData<Order>(
        orderKey(wanted.orderNumber),
        (order) => order && withVersion(order, wanted.imageId, "coloring", answer, () => false),
      ),
    onError: (error) => showToast(failureSentence(error, t), failureTone(error)),
  });
  return (preset) => {
    if (isPending || obstacleTo(image, "coloring")) return;
    mutate({ orderNumber, imageId: image.id, preset });
  };
}
