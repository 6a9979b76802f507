import { useQueryClient } from "@tanstack/react-query";
import { useLanguage } from "@/i18n/context";
import { estimateOrders, type PaidAction } from "@/lib/api";
import { costText } from "@/lib/cost";
import { failureSentence } from "@/lib/failure";
import type { OptionsToSend } from "@/lib/options";
import { coloringToSend } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";
import type { Question } from "./useQuestion";

/** Asks before more than one page or SVG is started, with their number and cost. */
export function useCostQuestion(ask: (question: Question) => Promise<string | null>) {
  const { t, language } = useLanguage();
  const queries = useQueryClient();
  /** Resolves to whether the action is to be requested. */
  return async (
    action: PaidAction,
    orderNumbers: readonly string[],
    options: OptionsToSend,
  ): Promise<boolean> => {
    try {
      const coloring = action === "coloring" ? await coloringToSend(queries, options) : undefined;
      if (action === "coloring" && !coloring) {
        showToast(t("list.preset.wrong"), "bad");
        return false;
      }
      const estimate = await estimateOrders(action, orderNumbers, { ...options, coloring });
      if (estimate.pages + estimate.svgs <= 1) return true;
      const text = costText(estimate, t, language);
      return (await ask({ title: t(`cost.title.${action}`), text, confirm: t("cost.confirm") })) !== null;
    } catch (error) {
      showToast(failureSentence(error, t), "bad");
      return false;
    }
  };
}
