import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { generateOrderColoring, generateOrderSvg } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";

/** The plan's defaults; other options are chosen on the order's own page. */
const COLORING = { megapixels: 1, steps: 4 };
const SVG = { shape_stacking: "stacked", group_by: "color" } as const;

const generate = {
  coloring: (number: string) => generateOrderColoring(number, COLORING),
  svg: (number: string) => generateOrderSvg(number, SVG),
};

/** Ask for the pages or SVGs of several orders; each order that refuses says why. */
export function useBulkGenerate() {
  const { t } = useLanguage();
  const [busy, setBusy] = useState(false);

  const run = async (kind: keyof typeof generate, orderNumbers: readonly string[]) => {
    setBusy(true);
    let started = 0;
    for (const number of orderNumbers) {
      try {
        await generate[kind](number);
        started += 1;
      } catch (error) {
        showToast(t("list.orderFailed", { number, reason: failureSentence(error, t) }), "bad");
      }
    }
    if (started > 0) showToast(t(`list.${kind}.started`, { count: started }));
    setBusy(false);
  };
  return { busy, run };
}
