import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";
import { withImage } from "./cached-order";
import type { Order, OrderImage } from "./model";
import { chosenVersion } from "./versions";

export interface Approvals {
  isPending: boolean;
  /** Approves a page, the chosen one by default; nothing if it is approved or not completed. */
  approve: (versionId?: number) => void;
  lift: () => void;
  sendBack: (versionId: number, reason: string) => void;
}

/** Approves the page of an image, lifts that, or sends the page back; shows the server's answer. */
export function useApproval(orderNumber: string, image: OrderImage): Approvals {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: (act: () => Promise<OrderImage>) => act(),
    onSuccess: (answer) => {
      queries.setQueryData<Order>(
        orderKey(orderNumber),
        (order) => order && withImage(order, image.id, () => answer),
      );
    },
    onError: (error) => showToast(failureSentence(error, t), "bad"),
    // The stage of the order may have changed, too.
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(orderNumber) }),
  });
  return {
    isPending,
    approve: (versionId) => {
      const id = versionId ?? chosenVersion(image, "coloring")?.id;
      const page = image.versions.coloring.find((version) => version.id === id);
      if (image.approved_at || page?.status !== "completed" || isPending) return;
      mutate(() => api.approveImage(image.id, page.id));
    },
    lift: () => mutate(() => api.liftApproval(image.id)),
    sendBack: (versionId, reason) => mutate(() => api.sendBackImage(image.id, versionId, reason)),
  };
}
