import { usePause, useQueues } from "@/hooks/useQueues";
import { useLanguage } from "@/i18n/context";
import { formatDayAndTime } from "@/lib/dates";
import type { PausableQueue } from "@/lib/queues";
import { Icon } from "./Icon";
import { ForOperators } from "./session/ForOperators";

function Paused({ queue, since }: { queue: PausableQueue; since: string }) {
  const { t, language } = useLanguage();
  const { isPending, pause } = usePause(queue.kind);
  const time = formatDayAndTime(since, language, false);
  const by = queue.paused_by;
  return (
    <div className="page-width flex items-center gap-3 px-4 py-2 sm:px-7">
      <p role="status" className="flex min-w-0 items-center gap-2 max-sm:flex-1">
        <Icon name="pause" className="size-4 shrink-0" />
        <span className="min-w-0 break-words">
          {t(`pause.${queue.kind}.paused`, { time })} {by && by !== "open" && t("pause.by", { name: by })}
        </span>
      </p>
      <ForOperators>
        <button
          type="button"
          className="button button-small shrink-0"
          disabled={isPending}
          aria-label={t(`pause.${queue.kind}.resume`)}
          onClick={() => pause(false)}
        >
          {t("pause.resume")}
        </button>
      </ForOperators>
    </div>
  );
}

/** The queues that are paused, on every page; nothing while none is. */
export function PauseBanner() {
  const { t } = useLanguage();
  const paused = useQueues().flatMap((queue) =>
    queue.paused_at === null ? [] : [<Paused key={queue.kind} queue={queue} since={queue.paused_at} />],
  );
  if (paused.length === 0) return null;
  return (
    <section aria-label={t("pause.label")} className="shrink-0 border-b border-line bg-accent-soft">
      {paused}
    </section>
  );
}
