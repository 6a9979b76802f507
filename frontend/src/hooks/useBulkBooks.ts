import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";
import { showRefusals, type BulkProgress } from "./useBulkRun";
import { useSession } from "./useSession";

/** Composes the books of several orders, and offers them as one PDF; it goes on while other pages are open. */
export function useBulkBooks() {
  const { t, language } = useLanguage();
  const { renew } = useSession();
  const [progress, setProgress] = useState<BulkProgress | null>(null);

  /** Resolves to the orders that are not in the PDF. */
  const run = async (orderNumbers: readonly string[]): Promise<readonly string[]> => {
    setProgress({ done: 0, total: orderNumbers.length });
    try {
      const { composeBooks, joinBooks, saveFile } = await import("@/lib/bulkBooks");
      const reasonOf = (error: unknown) => failureSentence(error, t);
      const { composed, refusals } = await composeBooks(orderNumbers, {
        renew,
        onProgress: setProgress,
        reasonOf,
        sentenceOf: (failure) => failureText(failure, language).sentence,
      });
      showRefusals(refusals, t);
      if (composed.length === 0) return orderNumbers;
      const file = await joinBooks(composed);
      showToast(t("list.books.ready", { count: composed.length }), "plain", {
        text: t("list.books.download"),
        run: () => saveFile(file),
      });
      return orderNumbers.filter((number) => !composed.includes(number));
    } catch (error) {
      showToast(failureSentence(error, t), "bad");
      return orderNumbers;
    } finally {
      setProgress(null);
    }
  };
  return { progress, run };
}
