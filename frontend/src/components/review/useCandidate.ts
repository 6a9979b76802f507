import { useMutation, useQueryClient } from "@tanstack/react-query";
import { withVersion } from "@/components/order/cached-order";
import type { Order, OrderImage } from "@/components/order/model";
import { obstacleTo } from "@/components/order/versions";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import { failureSentence, failureTone } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";
import type { ReviewPreset } from "./useReviewKeys";

interface Wanted {
  orderNumber: string;
  imageId: number;
  options: api.Presets["items"][number]["options"];
}

/** Makes another candidate of an image by a preset; one request at a time. */
export function useCandidate(
  orderNumber: string,
  image: OrderImage,
  presets: api.Presets | undefined,
): (preset: ReviewPreset) => void {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ imageId, options }: Wanted) => api.generateImageColoring(imageId, options),
    onSuccess: (answer, wanted) =>
      queries.setQueryData<Order>(
        orderKey(wanted.orderNumber),
        (order) => order && withVersion(order, wanted.imageId, "coloring", answer, () => false),
      ),
    onError: (error) => showToast(failureSentence(error, t), failureTone(error)),
  });
  return (preset) => {
    const options = presets?.items.find(({ name }) => name === preset)?.options;
    if (isPending || !options || obstacleTo(image, "coloring")) return;
    mutate({ orderNumber, imageId: image.id, options });
  };
}
