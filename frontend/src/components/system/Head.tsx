import { Icon } from "@/components/Icon";
import { useNow } from "@/hooks/useNow";
import { useLanguage } from "@/i18n/context";
import type { SystemState } from "@/lib/api";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/duration";
import { troublesOf } from "@/lib/system";

const SECOND_MS = 1000;
/** Below this the age of what is shown is not worth a number. */
const FRESH_MS = 2000;

function Freshness({ at }: { at: number }) {
  const { t } = useLanguage();
  const age = useNow(SECOND_MS) - at;
  return (
    <span className="text-[13px] text-mute tabular-nums" data-testid="freshness">
      {age < FRESH_MS ? t("system.updatedNow") : t("system.updated", { time: duration(age) })}
    </span>
  );
}

function Verdict({ system }: { system: SystemState }) {
  const { t } = useLanguage();
  const troubles = troublesOf(system);
  return (
    <p
      role="status"
      className={cn("flex items-center gap-1.5 font-medium", troubles > 0 ? "text-bad" : "text-ok")}
    >
      <Icon name={troubles > 0 ? "alert" : "check"} className="size-[18px] shrink-0" />
      {troubles > 0 ? t("system.verdict.attention", { count: troubles }) : t("system.verdict.well")}
    </p>
  );
}

interface HeadProps {
  system: SystemState;
  /** When it was told, in milliseconds of this machine's clock. */
  at: number;
  busy: boolean;
  onRefresh: () => void;
}

/** Whether all is well, and how old that answer is. */
export function Head({ system, at, busy, onRefresh }: HeadProps) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <h1 className="text-[22px] font-semibold tracking-tight">{t("system.title")}</h1>
      <Verdict system={system} />
      <div className="flex items-center gap-1.5 sm:ml-auto">
        <Freshness at={at} />
        <button
          type="button"
          className="icon-button"
          aria-label={t("system.refresh")}
          title={t("system.refresh")}
          onClick={onRefresh}
        >
          <Icon name="retry" className={cn("size-4", busy && "animate-breathe")} />
        </button>
      </div>
    </div>
  );
}
