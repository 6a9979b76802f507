import { useLanguage } from "@/i18n/context";
import type { SystemState } from "@/lib/api";
import { formatDay } from "@/lib/dates";
import { duration } from "@/lib/duration";

interface RetentionProps {
  state: SystemState["retention"];
  /** Time of the state (ms, the server's clock). */
  now: number;
}

/** Whether old orders are erased, the progress, and the orders that cannot be erased. */
export function Retention({ state, now }: RetentionProps) {
  const { t, language } = useLanguage();
  if (state === null) return null;
  const ago = duration(Math.max(now - Date.parse(state.ran_at), 0));
  const since = formatDay(state.since, language);
  return (
    <div className="mt-6 text-[12.5px]">
      <p className="text-mute">
        {state.days === null
          ? t("system.retention.off")
          : t("system.retention.on", { count: state.days, time: ago })}{" "}
        {state.erased > 0 && t("system.retention.erased", { count: state.erased, since })}
      </p>
      {state.error !== null && (
        <p role="alert" className="mt-1 font-medium text-bad">
          <span aria-hidden>▲ </span>
          {state.failing > 0 && t("system.retention.failing", { count: state.failing })} {state.error}
        </p>
      )}
    </div>
  );
}
