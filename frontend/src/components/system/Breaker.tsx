import { ServiceMessage } from "@/components/FailureText";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/duration";
import type { Service } from "@/lib/system";

type State = NonNullable<Service["processes"][number]["breaker"]>;

/** State of the circuit breaker: whether jobs go to the paid provider, or wait because it fails. */
export function Breaker({ breaker, now }: { breaker: State; now: number }) {
  const { t } = useLanguage();
  const closed = breaker.state === "closed";
  const wait = breaker.next_probe_at === null ? 0 : Math.max(Date.parse(breaker.next_probe_at) - now, 0);
  return (
    <div
      className={cn("flex items-start gap-1 sm:col-span-2 sm:col-start-2", closed ? "text-mute" : "text-bad")}
    >
      <Icon name={closed ? "check" : "alert"} className="mt-[3px] size-3.5 shrink-0" />
      <div className="min-w-0 break-words">
        {t(`system.breaker.${breaker.state}`, { time: duration(wait) })}
        {!closed && breaker.reason !== null && <ServiceMessage text={breaker.reason} />}
      </div>
    </div>
  );
}
