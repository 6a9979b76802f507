import { useLanguage, type Translate } from "@/i18n/context";
import { isPaid, type BulkAction } from "@/lib/bulkActions";
import type { OptionsToSend } from "@/lib/options";
import type { OrderListItem } from "@/types";
import { useCostQuestion } from "./useCostQuestion";
import { useQuestion, type Question } from "./useQuestion";

/** The question before an action on these orders that costs nothing; undefined if it needs none. */
function questionOf(
  action: BulkAction,
  orders: readonly OrderListItem[],
  t: Translate,
): Question | undefined {
  const count = orders.length;
  const pages = orders.reduce((sum, order) => sum + order.to_review, 0);
  switch (action) {
    case "approve":
      return {
        title: t("list.approve.title", { count: pages }),
        text: t("list.approve.text"),
        confirm: t("list.approve"),
      };
    case "hold":
      return {
        title: t("list.hold.title", { count }),
        text: t("list.hold.text"),
        confirm: t("stage.hold"),
        reason: t("stage.hold.reason"),
      };
    case "delete":
      return {
        title: t("list.delete.title", { count }),
        text: t("detail.delete.text"),
        confirm: t("list.delete.confirm", { count }),
        isDangerous: true,
      };
    default:
      return undefined;
  }
}

/** Asks before an action on several orders: about its cost, for a reason, or whether it is really meant. */
export function useBulkQuestion() {
  const { t } = useLanguage();
  const { ask, dialog } = useQuestion();
  const confirmCost = useCostQuestion(ask);
  /** Resolves to the reason (empty without a field), or to null if the action is not to be requested. */
  const confirm = async (
    action: BulkAction,
    orders: readonly OrderListItem[],
    options: OptionsToSend,
  ): Promise<string | null> => {
    if (isPaid(action)) {
      const numbers = orders.map((order) => order.order_number);
      return (await confirmCost(action, numbers, options)) ? "" : null;
    }
    const question = questionOf(action, orders, t);
    return question ? ask(question) : "";
  };
  return { confirm, dialog };
}
