import { FailureText } from "@/components/FailureText";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { formatElapsed, useNow } from "./clock";
import { statusDisplay, type Kind, type Version } from "./model";
import { useRunTimes } from "./runTimes";
import { stepsOf } from "./steps";
import { isCancelled, isActive } from "./versions";

interface VersionNoticeProps {
  kind: Kind;
  version: Version;
  busy: boolean;
  onCancel: () => void;
  onRetry: () => void;
}

/** The state of a version without a picture: its step while in progress, or why it failed. */
export function VersionNotice(props: VersionNoticeProps) {
  return isActive(props.version) ? <ActiveWork {...props} /> : <Failed {...props} />;
}

function ActiveWork({ kind, version, busy, onCancel }: VersionNoticeProps) {
  const { t } = useLanguage();
  const label = useStatusLabel(kind, version.status);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-[10px] bg-soft px-3 py-2 text-[13px]">
      <b className="font-semibold">{`v${version.version} · ${label}`}</b>
      <Steps kind={kind} version={version} />
      <Elapsed kind={kind} version={version} />
      <ForOperators>
        <button
          type="button"
          className="button button-small ml-auto aria-disabled:opacity-50"
          aria-disabled={busy}
          onClick={onCancel}
          aria-label={t(`detail.cancel.${kind}`, { version: version.version })}
        >
          {t("detail.cancel")}
        </button>
      </ForOperators>
      {version.retry && <NextAttempt retry={version.retry} />}
    </div>
  );
}

/** A transient failure: its reason, and when the next attempt starts. */
function NextAttempt({ retry }: { retry: NonNullable<Version["retry"]> }) {
  const { t } = useLanguage();
  const wait = Math.max(Date.parse(retry.next_at) - useNow(), 0);
  return (
    <div className="w-full" data-retry={retry.attempt}>
      <b className="font-semibold tabular-nums">
        {t("detail.retryIn", { attempt: retry.attempt + 1, of: retry.of, time: formatElapsed(wait) })}
      </b>{" "}
      <FailureText failure={retry} className="text-mute" />
    </div>
  );
}

function useStatusLabel(kind: Kind, status: string): string {
  const { t } = useLanguage();
  const key = `${kind}.${status}`;
  return isTextKey(key) ? t(key) : statusDisplay(kind, status).label;
}

function Steps({ kind, version }: Pick<VersionNoticeProps, "kind" | "version">) {
  const { t } = useLanguage();
  const { usesProvider } = useRunTimes();
  const { done, total } = stepsOf(kind, version.status, usesProvider[kind]);
  return (
    <div
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
      aria-label={t("detail.steps", { step: done + 1, total })}
      className="flex w-40 max-w-full gap-1"
    >
      {Array.from({ length: total }, (_, index) => (
        <i key={index} className={`h-[5px] flex-1 rounded-full ${stepColor(index, done)}`} />
      ))}
    </div>
  );
}

function stepColor(index: number, done: number): string {
  if (index < done) return "bg-ink";
  return index === done ? "bg-accent animate-breathe" : "bg-ink/15";
}

function Elapsed({ kind, version }: Pick<VersionNoticeProps, "kind" | "version">) {
  const { t } = useLanguage();
  const now = useNow();
  const runTimes = useRunTimes();
  const since = runTimes.startedAt(kind, version.id) ?? Date.parse(version.created_at);
  const usual = runTimes.medianSeconds[kind];
  const ahead = runTimes.ahead(kind, version.id);
  // How long it usually takes says nothing about a version that waits for others.
  const outlook =
    ahead === undefined
      ? usual !== undefined && t("detail.usually", { time: formatElapsed(usual * 1000) })
      : t(ahead === 0 ? "detail.waiting.next" : "detail.waiting.ahead", { count: ahead });
  return (
    <span className="text-mute tabular-nums" role="timer" aria-live="off">
      {formatElapsed(now - since)}
      {outlook && ` · ${outlook}`}
    </span>
  );
}

function Failed({ kind, version, busy, onRetry }: VersionNoticeProps) {
  const { t } = useLanguage();
  const cancelled = isCancelled(version);
  const color = cancelled ? "bg-soft text-ink" : "bg-bad-soft text-bad";
  const title = t(cancelled ? `detail.cancelled.${kind}` : `detail.failed.${kind}`, {
    version: version.version,
  });
  return (
    <div
      role="status"
      className={`flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-[10px] px-3 py-2 text-[13px] ${color}`}
    >
      <div className="min-w-0 flex-1 basis-40">
        <b className="font-semibold">{title}</b>{" "}
        {!cancelled && (version.error ? <FailureText failure={version.error} /> : t("detail.failed.unknown"))}
      </div>
      <ForOperators>
        <button
          type="button"
          className="button button-small aria-disabled:opacity-50"
          aria-disabled={busy}
          onClick={onRetry}
          aria-label={t(`detail.retry.${kind}`, { version: version.version })}
        >
          {t("detail.retry")}
        </button>
      </ForOperators>
    </div>
  );
}
