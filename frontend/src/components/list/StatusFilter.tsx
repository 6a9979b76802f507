import { ORDER_STATUSES } from "@/hooks/useListFilter";
import { useLanguage } from "@/i18n/context";
import type { OrderStatus } from "@/lib/api";
import { cn } from "@/lib/cn";

interface StatusFilterProps {
  value: OrderStatus | null;
  onChange: (value: OrderStatus | null) => void;
}

function Chip({ text, on, onClick }: { text: string; on: boolean; onClick: () => void }) {
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
    </button>
  );
}

export function StatusFilter({ value, onChange }: StatusFilterProps) {
  const { t } = useLanguage();
  return (
    <div
      role="group"
      aria-label={t("list.filter")}
      className="-mx-4 flex gap-1.5 overflow-x-auto px-4 py-1 sm:mx-0 sm:px-0"
    >
      <Chip text={t("list.all")} on={value === null} onClick={() => onChange(null)} />
      {ORDER_STATUSES.map((status) => (
        <Chip
          key={status}
          text={t(`order.${status}`)}
          on={value === status}
          onClick={() => onChange(status)}
        />
      ))}
    </div>
  );
}
