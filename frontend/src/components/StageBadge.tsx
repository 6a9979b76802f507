import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { Stage } from "@/types";

/** Color means that an operator is needed; work in progress and completed work are silent. */
const COLOR: Partial<Record<Stage, string>> = {
  attention: "bg-red-100 text-red-800",
  to_generate: "bg-yellow-100 text-yellow-800",
  to_review: "bg-blue-100 text-blue-800",
};

/** The stage of an order. */
export function StageBadge({ stage }: { stage: Stage }) {
  const { t } = useLanguage();
  const color = COLOR[stage];
  return (
    <span
      data-stage={stage}
      className={cn(
        "inline-flex items-center text-xs font-medium whitespace-nowrap",
        color ? `status-badge rounded-full px-2.5 py-0.5 ${color}` : "text-mute",
      )}
    >
      {t(`stage.${stage}`)}
    </span>
  );
}
