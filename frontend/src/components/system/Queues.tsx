import { useQuery } from "@tanstack/react-query";
import { ForOperators } from "@/components/session/ForOperators";
import { usePause } from "@/hooks/useQueues";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import type { SystemState } from "@/lib/api";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/duration";
import { queuesQuery, type QueueKind } from "@/lib/queues";
import { isOutboxStuck, type QueueState } from "@/lib/system";
import { linePoints } from "./bars";
import { CARD, Section } from "./Section";
import { Unavailable } from "./Unavailable";

/** By the name of a queue, the kind of the versions that it has. */
const KINDS: Readonly<Record<string, QueueKind>> = { coloring: "coloring", vectorize: "svg" };

const WIDTH = 100;
const HEIGHT = 26;

/** The depth of a queue since the page was opened. */
function DepthLine({ values, label }: { values: readonly number[]; label: string }) {
  const points = linePoints(values, WIDTH, HEIGHT);
  return (
    <svg
      viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      className="mt-auto h-10 w-full pt-2"
    >
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} className="fill-soft" />
      <polyline
        points={points}
        fill="none"
        strokeWidth="1.5"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
        className="stroke-mute"
      />
    </svg>
  );
}

function Depth({ value, name }: { value: number; name: string }) {
  const { language } = useLanguage();
  return (
    <div className="flex items-baseline gap-1.5">
      <dd className={cn("text-xl font-semibold tabular-nums", value === 0 && "text-mute")}>
        {new Intl.NumberFormat(language).format(value)}
      </dd>
      <dt className="order-last text-[12.5px] text-mute">{name}</dt>
    </div>
  );
}

function PauseButton({ kind, isPaused }: { kind: QueueKind; isPaused: boolean }) {
  const { t } = useLanguage();
  const { isPending, pause } = usePause(kind);
  const action = isPaused ? "resume" : "pause";
  return (
    <button
      type="button"
      className="button button-small"
      disabled={isPending}
      aria-label={t(`pause.${kind}.${action}`)}
      onClick={() => pause(!isPaused)}
    >
      {t(`pause.${action}`)}
    </button>
  );
}

/** Pauses the queue, or resumes it; nothing for a queue that cannot be paused. */
function Pause({ name }: { name: string }) {
  const { data } = useQuery(queuesQuery);
  const kind = KINDS[name];
  const queue = data?.queues.find((one) => one.kind === kind);
  if (!queue) return null;
  return (
    <ForOperators>
      <PauseButton kind={queue.kind} isPaused={queue.paused_at !== null} />
    </ForOperators>
  );
}

function Queue({ queue, depths }: { queue: QueueState; depths: readonly number[] }) {
  const { t } = useLanguage();
  const key = `system.queue.${queue.name}`;
  const name = isTextKey(key) ? t(key) : queue.name;
  return (
    <div className={cn(CARD, "flex flex-col px-3 py-3 sm:px-4")}>
      <div className="flex min-h-8 flex-wrap items-center justify-between gap-x-2 gap-y-1">
        <h3 className="text-[13px] font-medium text-mute">{name}</h3>
        <Pause name={queue.name} />
      </div>
      <dl className="mt-0.5 flex flex-wrap gap-x-4">
        <Depth value={queue.waiting} name={t("system.queue.waiting")} />
        <Depth value={queue.in_progress} name={t("system.queue.inProgress")} />
      </dl>
      <DepthLine
        values={depths.length > 1 ? depths : [queue.waiting, queue.waiting]}
        label={t("system.queue.drawn", { name, count: Math.max(queue.waiting, ...depths) })}
      />
    </div>
  );
}

function Outbox({ outbox }: { outbox: SystemState["outbox"] }) {
  const { t } = useLanguage();
  const oldest = outbox?.oldest_seconds ?? null;
  const isStuck = isOutboxStuck(outbox);
  return (
    <div className={cn(CARD, "px-3 py-3 sm:px-4")}>
      <h3 className="text-[13px] font-medium text-mute">{t("system.queue.outbox")}</h3>
      {outbox === null ? (
        <p className="mt-1.5 text-mute">{t("system.untold")}</p>
      ) : (
        <>
          <dl className="mt-0.5">
            <Depth value={outbox.messages} name={t("system.queue.waiting")} />
          </dl>
          <p className={cn("mt-2 text-[12.5px]", isStuck ? "font-medium text-bad" : "text-mute")}>
            {isStuck && <span aria-hidden>▲ </span>}
            {oldest === null
              ? t("system.queue.allSent")
              : t("system.queue.oldest", { time: duration(oldest * 1000) })}
          </p>
          {outbox.refused > 0 && (
            <p className="mt-1 text-[12.5px] font-medium text-bad">
              <span aria-hidden>▲ </span>
              {t("system.issue.refused", { count: outbox.refused })}
            </p>
          )}
        </>
      )}
    </div>
  );
}

/** The reconciler's repairs; nothing if there were none. */
function Reconciler({ state, now }: { state: NonNullable<SystemState["reconciler"]>; now: number }) {
  const { t } = useLanguage();
  const ago = duration(Math.max(now - Date.parse(state.ran_at), 0));
  return (
    <p className="mt-2 text-[12.5px] text-mute">
      {t("system.reconciler", { time: ago })}{" "}
      {t("system.reconciler.repaired", { count: state.repaired_total })}
    </p>
  );
}

interface QueuesProps {
  queues: SystemState["queues"];
  outbox: SystemState["outbox"];
  reconciler: SystemState["reconciler"];
  depths: Readonly<Record<string, readonly number[]>>;
  /** Time of the state (ms, the server's clock). */
  now: number;
}

/** Jobs waiting and in progress, by queue; unpublished messages. */
export function Queues({ queues, outbox, reconciler, depths, now }: QueuesProps) {
  const { t } = useLanguage();
  return (
    <Section id="queues" title={t("system.queues")}>
      {queues === null && outbox === null ? (
        <Unavailable />
      ) : (
        <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
          {queues === null ? (
            <div className="grid max-lg:col-span-2 lg:col-span-3">
              <Unavailable />
            </div>
          ) : (
            queues.map((queue) => <Queue key={queue.name} queue={queue} depths={depths[queue.name] ?? []} />)
          )}
          <Outbox outbox={outbox} />
        </div>
      )}
      {reconciler !== null && <Reconciler state={reconciler} now={now} />}
    </Section>
  );
}
