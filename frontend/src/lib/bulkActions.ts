/** Actions on several orders: one request per order. */
import type { QueryClient } from "@tanstack/react-query";
import type { TextKey } from "@/i18n/catalogue";
import type { Translate } from "@/i18n/context";
import {
  approveOrder,
  changeOrder,
  deleteOrder,
  generateOrderColoring,
  generateOrderSvg,
  retryFailed,
  type PaidAction,
} from "./api";
import type { OptionsToSend } from "./options";
import { coloringToSend } from "./presetsQuery";

export type BulkAction = PaidAction | "approve" | "printed" | "shipped" | "hold" | "resume" | "delete";

export interface BulkRequest {
  action: BulkAction;
  options: OptionsToSend;
  /** Why the orders are put on hold. */
  reason: string;
}

const PAID: readonly BulkAction[] = ["coloring", "svg", "retry"] satisfies PaidAction[];

/** Whether the action costs money. */
export const isPaid = (action: BulkAction): action is PaidAction => PAID.includes(action);

/** Rejects with `text` as the reason if nothing was changed. */
function requireSome(count: number, t: Translate, text: TextKey): void {
  if (count === 0) throw new Error(t(text));
}

/** Requests an action for one order. Rejects with an `ApiError`, or an error with a sentence for the user. */
export async function requestAction(
  orderNumber: string,
  { action, options, reason }: BulkRequest,
  { t, queries }: { t: Translate; queries: QueryClient },
): Promise<void> {
  switch (action) {
    case "coloring": {
      const coloring = await coloringToSend(queries, options);
      if (coloring) await generateOrderColoring(orderNumber, coloring);
      return;
    }
    case "svg":
      await generateOrderSvg(orderNumber, options.svg);
      return;
    case "retry": {
      const { pages, svgs } = await retryFailed(orderNumber);
      requireSome(pages + svgs, t, "list.retry.none");
      return;
    }
    case "approve":
      requireSome((await approveOrder(orderNumber)).approved, t, "list.approve.none");
      return;
    case "delete":
      await deleteOrder(orderNumber);
      return;
    case "printed":
      await changeOrder(orderNumber, { is_printed: true });
      return;
    case "shipped":
      await changeOrder(orderNumber, { is_shipped: true });
      return;
    case "hold":
      await changeOrder(orderNumber, { on_hold_reason: reason });
      return;
    case "resume":
      await changeOrder(orderNumber, { on_hold_reason: null });
  }
}
