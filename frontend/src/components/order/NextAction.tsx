import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { useCostQuestion } from "@/hooks/useCostQuestion";
import { useQuestion } from "@/hooks/useQuestion";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import type { OrderNotes } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import type { OptionsToSend } from "@/lib/options";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";
import { deliverableImagesOf } from "./cached-order";
import type { Order } from "./model";
import { isCancelled } from "./versions";

/** Changes what is noted on an order; shows the server's answer. */
export function useOrderNotes(orderNumber: string): (notes: OrderNotes) => void {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: (notes: OrderNotes) => api.changeOrder(orderNumber, notes),
    onSuccess: (order) => queries.setQueryData<Order>(orderKey(orderNumber), order),
    onError: (error) => showToast(failureSentence(error, t), "bad"),
  });
  return mutate;
}

/** Number of newest pages that failed, of images that have no page. */
function failedPages(order: Order): number {
  return deliverableImagesOf(order).filter((image) => {
    const newest = image.versions.coloring.at(-1);
    const hasFailed = newest?.status === "error" && !isCancelled(newest);
    return hasFailed && image.selected_version_ids.coloring === null;
  }).length;
}

/** Retries everything that failed, after a question about its cost. */
function useRetryFailed(order: Order, options: OptionsToSend) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { ask, dialog } = useQuestion();
  const confirmCost = useCostQuestion(ask);
  const { mutate, isPending } = useMutation({
    mutationFn: async () => {
      const isConfirmed = await confirmCost("retry", [order.order_number], options);
      return isConfirmed ? api.retryFailed(order.order_number) : null;
    },
    onError: (error) => showToast(failureSentence(error, t), "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(order.order_number) }),
  });
  return { retry: () => mutate(), isPending, dialog };
}

/** The primary button of the order's stage; none where nothing is to be done but to wait or to generate. */
export function NextAction({ order, options }: { order: Order; options: OptionsToSend }) {
  const { t } = useLanguage();
  const note = useOrderNotes(order.order_number);
  const { retry, isPending, dialog } = useRetryFailed(order, options);
  const failed = failedPages(order);
  switch (order.stage) {
    case "on_hold":
      return <Primary text={t("stage.action.resume")} act={() => note({ on_hold_reason: null })} />;
    case "attention":
      if (failed > 0)
        return (
          <>
            <Primary text={t("stage.action.retry", { count: failed })} busy={isPending} act={retry} />
            {dialog}
          </>
        );
      if (order.attention?.some((reason) => reason !== "failed"))
        return <Primary text={t("stage.action.seen")} act={() => note({ is_attention_seen: true })} />;
      return null;
    case "to_review":
      return (
        <Link
          to={`/review?from=${encodeURIComponent(order.order_number)}`}
          data-next-action
          className="button button-primary"
        >
          {t("stage.action.review", { count: order.to_review })}
        </Link>
      );
    case "approved":
      return <Primary text={t("stage.action.printed")} act={() => note({ is_printed: true })} />;
    case "printed":
      return <Primary text={t("stage.action.shipped")} act={() => note({ is_shipped: true })} />;
    default:
      return null;
  }
}

function Primary({ text, act, busy = false }: { text: string; act: () => void; busy?: boolean }) {
  return (
    <button
      type="button"
      data-next-action
      className="button button-primary aria-disabled:opacity-50"
      aria-disabled={busy}
      onClick={() => {
        if (!busy) act();
      }}
    >
      {text}
    </button>
  );
}
