import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";

interface ProgressProps {
  label: string;
  done: number;
  total: number;
  color: "bg-ink" | "bg-accent";
}

/** Progress of one kind of work on an order: label, bar, count. `total` is at least 1. */
export function Progress({ label, done, total, color }: ProgressProps) {
  const { t } = useLanguage();
  const share = done / total;
  return (
    <div className="grid grid-cols-[4.75rem_1fr_3rem] items-center gap-2.5 text-xs text-mute">
      <span>{label}</span>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuenow={done}
        aria-valuemax={total}
        aria-valuetext={t("list.done", { done, total })}
        className="h-[5px] overflow-hidden rounded-full bg-line"
      >
        <i
          className={cn("block h-full origin-left rounded-full transition-transform duration-500", color)}
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
      <span aria-hidden className="text-right tabular-nums">
        {done} / {total}
      </span>
    </div>
  );
}
