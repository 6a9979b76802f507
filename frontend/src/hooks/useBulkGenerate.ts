import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage, type Translate } from "@/i18n/context";
import { generateOrderColoring, generateOrderSvg } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { canRequestPages, type OptionsToSend } from "@/lib/options";
import { coloringToSend } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";

export type BulkKind = "coloring" | "svg";

export interface BulkProgress {
  done: number;
  total: number;
}

/** Order numbers by the error message of their refusal. */
export type Refusals = ReadonlyMap<string, readonly string[]>;

/** Number of orders that a message lists; the rest is only counted. */
const MAX_LISTED = 3;

async function startGeneration(
  queries: QueryClient,
  kind: BulkKind,
  orderNumber: string,
  options: OptionsToSend,
): Promise<void> {
  if (kind === "svg") {
    await generateOrderSvg(orderNumber, options.svg);
    return;
  }
  const coloring = await coloringToSend(queries, options);
  if (coloring) await generateOrderColoring(orderNumber, coloring);
}

/** Shows one message per reason, however many orders it applies to. */
export function showRefusals(refusals: Refusals, t: Translate): void {
  for (const [reason, refused] of refusals) {
    const listed = refused.slice(0, MAX_LISTED).join(", ");
    const count = refused.length - MAX_LISTED;
    const numbers = count > 0 ? t("list.refusedMore", { numbers: listed, count }) : listed;
    showToast(t("list.refused", { reason, numbers }), "bad");
  }
}

/** Requests the pages or SVGs of several orders one after another, and shows how many started and failed. */
export function useBulkGenerate(options: OptionsToSend) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [progress, setProgress] = useState<BulkProgress | null>(null);

  /** Resolves to the orders whose requests were refused. */
  const run = async (kind: BulkKind, orderNumbers: readonly string[]): Promise<string[]> => {
    if (kind === "coloring" && !canRequestPages(options)) {
      showToast(t("list.preset.wrong"), "bad");
      return [...orderNumbers];
    }
    const refusals = new Map<string, string[]>();
    for (const [done, number] of orderNumbers.entries()) {
      setProgress({ done, total: orderNumbers.length });
      try {
        await startGeneration(queries, kind, number, options);
      } catch (error) {
        const reason = failureSentence(error, t);
        refusals.set(reason, [...(refusals.get(reason) ?? []), number]);
      }
    }
    setProgress(null);
    const refused = [...refusals.values()].flat();
    const started = orderNumbers.length - refused.length;
    if (started > 0) showToast(t(`list.${kind}.started`, { count: started }));
    showRefusals(refusals, t);
    return refused;
  };
  return { progress, run };
}
