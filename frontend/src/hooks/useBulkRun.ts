import { useState } from "react";
import { useLanguage, type Translate } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";

export interface BulkProgress {
  done: number;
  total: number;
}

/** Order numbers by the error message of their refusal. */
export type Refusals = ReadonlyMap<string, readonly string[]>;

/** Number of orders that a message lists; the rest is only counted. */
const MAX_LISTED = 3;

/** Shows one message per reason, however many orders it applies to. */
export function showRefusals(refusals: Refusals, t: Translate): void {
  for (const [reason, refused] of refusals) {
    const listed = refused.slice(0, MAX_LISTED).join(", ");
    const count = refused.length - MAX_LISTED;
    const numbers = count > 0 ? t("list.refusedMore", { numbers: listed, count }) : listed;
    showToast(t("list.refused", { reason, numbers }), "bad");
  }
}

/** Sends one request per order, one after another, and shows the refusals. */
export function useBulkRun() {
  const { t } = useLanguage();
  const [progress, setProgress] = useState<BulkProgress | null>(null);

  /** Resolves to the orders whose requests were refused. */
  const run = async (
    orderNumbers: readonly string[],
    request: (orderNumber: string) => Promise<unknown>,
  ): Promise<string[]> => {
    const refusals = new Map<string, string[]>();
    for (const [done, number] of orderNumbers.entries()) {
      setProgress({ done, total: orderNumbers.length });
      try {
        await request(number);
      } catch (error) {
        const reason = failureSentence(error, t);
        refusals.set(reason, [...(refusals.get(reason) ?? []), number]);
      }
    }
    setProgress(null);
    showRefusals(refusals, t);
    return [...refusals.values()].flat();
  };
  return { progress, run };
}
