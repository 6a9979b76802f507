import { Icon, type IconName } from "@/components/Icon";
import { useNow } from "@/hooks/useNow";
import { useLanguage, type Translate } from "@/i18n/context";
import type { SystemState } from "@/lib/api";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/duration";
import { findIssues, type SystemIssue } from "@/lib/system";
import { serviceName } from "./serviceName";

const SECOND_MS = 1000;
/** A smaller age is shown as "just now". */
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

function sentence(issue: SystemIssue, t: Translate): string {
  if (issue.kind === "letters" || issue.kind === "refused")
    return t(`system.issue.${issue.kind}`, { count: issue.count });
  if (issue.kind === "breaker") return t("system.issue.breaker", { name: serviceName(issue.name, t) });
  if (issue.kind !== "service") return t(`system.issue.${issue.kind}`);
  const name = serviceName(issue.name, t);
  return t("system.issue.service", { name, state: t(`system.state.${issue.state}`).toLocaleLowerCase() });
}

/** The current issues, each with a link to its section; or that there are none. */
function HealthSummary({ system }: { system: SystemState }) {
  const { t } = useLanguage();
  const issues = findIssues(system);
  const isWell = issues.length === 0;
  return (
    <div
      role="status"
      className={cn("flex flex-wrap items-center gap-x-4 font-medium", isWell ? "text-ok" : "text-bad")}
    >
      {isWell && <Line icon="check" text={t("system.verdict.well")} />}
      {issues.map((issue) => {
        const text = sentence(issue, t);
        return (
          <a key={text} href={`#${issue.section}`} className="hover:underline">
            <Line icon="alert" text={text} />
          </a>
        );
      })}
    </div>
  );
}

function Line({ icon, text }: { icon: IconName; text: string }) {
  return (
    <span className="flex items-center gap-1.5 py-0.5">
      <Icon name={icon} className="size-[18px] shrink-0" />
      {text}
    </span>
  );
}

interface HeadProps {
  system: SystemState;
  /** When the state was received (ms, this machine's clock). */
  at: number;
  busy: boolean;
  onRefresh: () => void;
}

/** The title of the page with the health summary and the age of the data. */
export function Head({ system, at, busy, onRefresh }: HeadProps) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <h1 className="text-[22px] font-semibold tracking-tight">{t("system.title")}</h1>
      <HealthSummary system={system} />
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
