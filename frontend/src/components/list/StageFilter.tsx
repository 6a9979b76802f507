import { useQuery } from "@tanstack/react-query";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { countLabel, STAGES, stageCountsQuery } from "@/lib/stages";
import type { Stage } from "@/types";

interface StageFilterProps {
  value: Stage | null;
  onChange: (value: Stage | null) => void;
}

interface ChipProps {
  text: string;
  count?: number | undefined;
  on: boolean;
  onClick: () => void;
}

function Chip({ text, count, on, onClick }: ChipProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className={cn(
        "h-8 shrink-0 rounded-full border px-3 text-[13px] whitespace-nowrap transition-colors",
        on ? "border-ink bg-card text-ink" : "border-line bg-card text-mute hover:text-ink",
      )}
    >
      {text}
      {count !== undefined && count > 0 && <b className="ml-1.5 font-semibold">{countLabel(count)}</b>}
    </button>
  );
}

/** The stages with the number of their orders; one of them may be chosen. */
export function StageFilter({ value, onChange }: StageFilterProps) {
  const { t } = useLanguage();
  const { data: counts } = useQuery(stageCountsQuery);
  return (
    <div
      role="group"
      aria-label={t("list.filter")}
      className="-mx-4 flex gap-1.5 overflow-x-auto px-4 py-1 sm:mx-0 sm:flex-wrap sm:overflow-visible sm:px-0"
    >
      <Chip text={t("list.all")} on={value === null} onClick={() => onChange(null)} />
      {STAGES.map((stage) => (
        <Chip
          key={stage}
          text={t(`stage.${stage}`)}
          count={counts?.[stage]}
          on={value === stage}
          onClick={() => onChange(stage)}
        />
      ))}
    </div>
  );
}
