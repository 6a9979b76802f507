import { Icon, type IconName } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/duration";
import type { Service, ServiceState } from "@/lib/system";
import { Breaker } from "./Breaker";
import { CARD, Section } from "./Section";
import { serviceName } from "./serviceName";

const LOOK: Record<ServiceState, { icon: IconName; color: string }> = {
  well: { icon: "check", color: "text-ok" },
  unwell: { icon: "alert", color: "text-bad" },
  silent: { icon: "close", color: "text-bad" },
  unknown: { icon: "question", color: "text-mute" },
};

function State({ state }: { state: ServiceState }) {
  const { t } = useLanguage();
  const { icon, color } = LOOK[state];
  return (
    <span className={cn("flex items-center gap-2 self-start font-medium whitespace-nowrap", color)}>
      <Icon name={icon} className="size-[18px] shrink-0" />
      {t(`system.state.${state}`)}
    </span>
  );
}

/** A dependency and whether it responds; an error is shown in full. */
function Check({ name, result }: { name: string; result: string }) {
  const { t } = useLanguage();
  const key = `system.check.${name}`;
  const isWell = result === "ok";
  return (
    <li className={cn("flex min-w-0 items-start gap-1", isWell ? "text-mute" : "text-bad")}>
      <Icon name={isWell ? "check" : "close"} className="mt-[3px] size-3.5 shrink-0" />
      <span className="min-w-0 break-words">
        {isTextKey(key) ? t(key) : name}
        {isWell ? <span className="sr-only"> {t("system.check.ok")}</span> : `: ${result}`}
      </span>
    </li>
  );
}

const MINUTE_MS = 60_000;

/** Whole minutes from one minute on: a number that changes at every refresh would distract. */
function uptime(startedAt: string, now: number): string {
  const running = now - Date.parse(startedAt);
  return duration(running < MINUTE_MS ? running : running - (running % MINUTE_MS));
}

function Process({ process, now }: { process: Service["processes"][number]; now: number }) {
  const { t } = useLanguage();
  return (
    <li className="flex flex-wrap gap-x-4 gap-y-0.5 text-[13px] leading-5 sm:grid sm:grid-cols-[8rem_1fr_auto]">
      <span className="tabular-nums">
        {process.started_at !== null && t("system.running", { time: uptime(process.started_at, now) })}
      </span>
      <ul className="flex min-w-0 flex-wrap gap-x-4 gap-y-0.5">
        {Object.entries(process.checks).map(([name, result]) => (
          <Check key={name} name={name} result={result} />
        ))}
      </ul>
      <span className="text-xs leading-5 break-all text-mute">{process.instance}</span>
      {process.breaker && <Breaker breaker={process.breaker} now={now} />}
    </li>
  );
}

function LastSeen({ service, seen, now }: { service: Service; seen: string | undefined; now: number }) {
  const { t } = useLanguage();
  return (
    <p className="text-[13px] leading-5 text-mute max-lg:col-span-2">
      {service.state === "silent" && `${t("system.silent")} `}
      {seen !== undefined && t("system.silentSince", { time: duration(now - Date.parse(seen)) })}
    </p>
  );
}

interface ServicesProps {
  services: readonly Service[];
  /** When each service last responded since the page was opened. */
  seen: Readonly<Record<string, string>>;
  /** Time of `services` (ms, the server's clock). */
  now: number;
}

/** Every service with its processes and their dependencies. */
export function Services({ services, seen, now }: ServicesProps) {
  const { t } = useLanguage();
  return (
    <Section id="services" title={t("system.services")}>
      <ul className={cn(CARD, "divide-y divide-line")}>
        {services.map((service) => (
          <li
            key={service.name}
            data-service={service.name}
            className="grid grid-cols-[1fr_auto] gap-x-5 gap-y-1 px-4 py-3 leading-5 lg:grid-cols-[17rem_8.5rem_1fr]"
          >
            <div className="flex flex-wrap items-baseline gap-x-2.5">
              <h3 className="font-medium">{serviceName(service.name, t)}</h3>
              <span className="text-xs text-mute">{service.name}</span>
            </div>
            <State state={service.state} />
            {service.processes.length === 0 ? (
              <LastSeen service={service} seen={seen[service.name]} now={now} />
            ) : (
              <ul className="space-y-1.5 max-lg:col-span-2">
                {service.processes.map((process) => (
                  <Process key={process.instance} process={process} now={now} />
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
