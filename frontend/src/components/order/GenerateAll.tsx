import { useState } from "react";
import { useCostQuestion } from "@/hooks/useCostQuestion";
import { useQuestion } from "@/hooks/useQuestion";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { canRequestPages } from "@/lib/options";
import { canGenerateAll, useGenerateAll, type OptionsToSend } from "./actions";
import type { Kind, Order } from "./model";

interface GenerateAllProps {
  order: Order;
  options: OptionsToSend;
}

/** The two buttons that generate for the whole order. */
export function GenerateAll(props: GenerateAllProps) {
  return (
    <div className="flex flex-wrap gap-2 max-sm:[&_.button]:px-2.5">
      <AllButton kind="coloring" {...props} />
      <AllButton kind="svg" {...props} />
    </div>
  );
}

function AllButton({ kind, order, options }: GenerateAllProps & { kind: Kind }) {
  const { t } = useLanguage();
  // Busy until the response is rendered: a second click before that would have no effect.
  const [pressed, setPressed] = useState(false);
  const all = useGenerateAll(order.order_number, kind, options);
  const { ask, dialog } = useQuestion();
  const confirmCost = useCostQuestion(ask);
  const generate = async () => {
    if (pressed) return;
    setPressed(true);
    const isConfirmed = await confirmCost(kind, [order.order_number], options);
    if (isConfirmed) all.mutate(undefined, { onSettled: () => setPressed(false) });
    else setPressed(false);
  };
  const unready = kind === "coloring" && !canRequestPages(options);
  return (
    <>
      <button
        type="button"
        className={cn(
          "button aria-disabled:opacity-50",
          kind === "coloring" && order.stage === "to_generate" && "button-primary",
        )}
        aria-disabled={pressed}
        disabled={unready || !canGenerateAll(order, kind)}
        aria-busy={pressed}
        onClick={() => void generate()}
      >
        {t(pressed ? "detail.starting" : `detail.all.${kind}`)}
      </button>
      {dialog}
    </>
  );
}
