import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { Hour } from "@/lib/system";
import { MinuteBars } from "./MinuteBars";
import { CARD, Section } from "./Section";
import { Unavailable } from "./Unavailable";

interface FigureProps {
  name: string;
  value: string;
  mark?: string;
  bad?: boolean;
}

function Figure({ name, value, mark, bad = false }: FigureProps) {
  return (
    <div className="flex flex-col-reverse">
      <dt className="text-[12.5px] text-mute">
        {mark && (
          <span aria-hidden className={cn("mr-1 text-[10px]", bad ? "text-bad" : "text-ink")}>
            {mark}
          </span>
        )}
        {name}
      </dt>
      <dd className={cn("text-xl font-semibold tabular-nums", bad && "text-bad")}>{value}</dd>
    </div>
  );
}

function Kind({ hour }: { hour: Hour }) {
  const { t, language } = useLanguage();
  const { completed, failed, cancelled, failure_rate: rate } = hour;
  const number = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const kind = t(`system.hour.${hour.kind}`);
  const isQuiet = completed + failed + cancelled === 0;
  return (
    <div className={cn(CARD, "px-4 pt-3.5 pb-3")}>
      <h3 className="text-[13px] font-medium text-mute">{kind}</h3>
      <dl className="mt-1.5 flex flex-wrap gap-x-7 gap-y-2 max-sm:justify-between max-sm:gap-x-2">
        <Figure name={t("system.hour.completed")} value={number.format(completed)} mark="▲" />
        <Figure name={t("system.hour.failed")} value={number.format(failed)} mark="▼" bad={failed > 0} />
        <Figure name={t("system.hour.cancelled")} value={number.format(cancelled)} />
        <Figure name={t("system.hour.rate")} value={rate === null ? "—" : percent.format(rate)} />
      </dl>
      {isQuiet ? (
        <p className="mt-3 grid h-[104px] place-items-center rounded-lg bg-soft/60 text-center text-mute">
          {t("system.hour.nothing")}
        </p>
      ) : (
        <MinuteBars hour={hour} label={t("system.hour.drawn", { kind, completed, failed })} />
      )}
    </div>
  );
}

/** The versions that ended in the last hour, by minute. */
export function LastHour({ hours }: { hours: readonly Hour[] | null }) {
  const { t } = useLanguage();
  return (
    <Section title={t("system.hour")}>
      {hours === null ? (
        <Unavailable />
      ) : (
        <div className="grid gap-3 lg:grid-cols-2">
          {hours.map((hour) => (
            <Kind key={hour.kind} hour={hour} />
          ))}
        </div>
      )}
    </Section>
  );
}
