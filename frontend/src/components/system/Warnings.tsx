import type { ReactNode } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import type { SystemState } from "@/lib/api";
import { formatClock } from "@/lib/dates";
import { failureSentence } from "@/lib/failure";
import { isBrokerAway, isDatabaseAway } from "@/lib/system";

function Warning({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <div
      role="alert"
      className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-bad/30 bg-bad-soft px-4 py-3 text-bad"
    >
      <Icon name="alert" className="size-[18px] shrink-0" />
      <p className="min-w-0 flex-1 basis-60">{text}</p>
      {children}
    </div>
  );
}

interface WarningsProps {
  system: SystemState;
  /** When the state was received (ms). */
  at: number;
  /** Why the last refresh failed; null if it succeeded. */
  error: Error | null;
  onRetry: () => void;
}

/** Explains why data on the page is outdated or missing. */
export function Warnings({ system, at, error, onRetry }: WarningsProps) {
  const { t } = useLanguage();
  return (
    <>
      {error && (
        <Warning text={`${t("system.stale", { time: formatClock(at, true) })} ${failureSentence(error, t)}`}>
          <button type="button" className="button button-small" onClick={onRetry}>
            {t("action.retry")}
          </button>
        </Warning>
      )}
      {isBrokerAway(system) && <Warning text={t("system.away.broker")} />}
      {isDatabaseAway(system) && <Warning text={t("system.away.database")} />}
    </>
  );
}
