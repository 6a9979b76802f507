import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmButton } from "@/components/ConfirmButton";
import { LoadFailure } from "@/components/LoadFailure";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { formatDayAndTime } from "@/lib/dates";
import { failureSentence } from "@/lib/failure";
import { deleteNote, historyKey, historyQuery, type HistoryEntry } from "@/lib/historyApi";
import { showToast } from "@/lib/toasts";
import { actionText, actorText, detailLines, runsOf, textOf, type EntryRun } from "./entries";

/** The entries of the history, newest first, or only its notes. */
export function HistoryList({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const [onlyNotes, setOnlyNotes] = useState(false);
  const query = useInfiniteQuery(historyQuery(orderNumber, onlyNotes));
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const entries = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="history-list">
      <div className="flex items-center gap-3">
        <h3 id="history-list" className="text-[13px] font-medium text-mute">
          {t("history.open")}
        </h3>
        <label className="ml-auto flex min-h-8 items-center gap-2 text-[13px] text-mute">
          <input
            type="checkbox"
            checked={onlyNotes}
            onChange={(event) => setOnlyNotes(event.target.checked)}
            className="size-4 accent-ink"
          />
          {t("history.onlyNotes")}
        </label>
      </div>
      {error && !data && (
        <LoadFailure title={t("history.loadFailed")} error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <p className="animate-breathe p-6 text-center text-mute">{t("history.loading")}</p>}
      {data && entries.length === 0 && <p className="py-3 text-mute">{t("history.noNotes")}</p>}
      <ol className="mt-1">
        {runsOf(entries).map((run) => (
          <Run key={`${run.newest.source}-${run.newest.id}`} orderNumber={orderNumber} run={run} />
        ))}
      </ol>
      {hasNextPage && (
        <button
          type="button"
          className="button button-small mt-3 w-full"
          aria-busy={isFetchingNextPage}
          onClick={() => !isFetchingNextPage && void fetchNextPage()}
        >
          {t("history.more")}
        </button>
      )}
    </section>
  );
}

function Run({ orderNumber, run }: { orderNumber: string; run: EntryRun }) {
  const { t, language } = useLanguage();
  const { newest, positions, count } = run;
  const isNote = newest.action === "note";
  return (
    <li data-action={newest.action} className="border-b border-line py-2.5 last:border-b-0">
      {isNote ? (
        <Note orderNumber={orderNumber} note={newest} />
      ) : (
        <p className="font-medium break-words">
          {actionText(newest, t)}
          {count > 1 && <span className="text-mute"> {t("history.times", { count })}</span>}
        </p>
      )}
      {positions.length > 0 && (
        <p className="text-[13px] text-mute">{t("history.photo", { position: positions.join(", ") })}</p>
      )}
      {detailLines(newest, t).map((line) => (
        <p key={line} className="text-[13px] break-words text-mute">
          {line}
        </p>
      ))}
      <p className="mt-0.5 flex flex-wrap gap-x-1.5 text-[13px] text-mute">
        <span className="min-w-0 break-words">{actorText(newest, t)}</span>
        <span aria-hidden>·</span>
        <time dateTime={newest.at}>{formatDayAndTime(newest.at, language)}</time>
      </p>
    </li>
  );
}

function Note({ orderNumber, note }: { orderNumber: string; note: HistoryEntry }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteNote(orderNumber, note.id),
    onError: (error) => showToast(failureSentence(error, t), "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: historyKey(orderNumber) }),
  });
  return (
    <div className="flex items-start gap-2 rounded-[10px] bg-soft px-3 py-2">
      <p className="min-w-0 flex-1 break-words whitespace-pre-wrap">{textOf(note.details?.["text"])}</p>
      <ForOperators>
        <ConfirmButton
          text={t("history.delete")}
          label={t("history.deleteNote")}
          title={t("history.deleteNote.title")}
          question={t("history.deleteNote.text")}
          confirm={t("history.delete")}
          keep={t("action.cancel")}
          danger
          disabled={remove.isPending}
          className="shrink-0 py-0.5 text-[13px] text-mute underline decoration-line underline-offset-4 hover:text-ink"
          onConfirm={() => remove.mutate()}
        />
      </ForOperators>
    </div>
  );
}
