import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { SyntheticEvent } from "react";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { addNote, historyKey } from "@/lib/historyApi";
import type { DraftsProps } from "./useDetails";

/** The API's limit. */
const MOST = 2000;

/** A field for another note; its text stays if it could not be saved. */
export function NoteForm({ orderNumber, drafts, onDraft }: DraftsProps & { orderNumber: string }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const text = drafts.note;
  const add = useMutation({
    mutationFn: (note: string) => addNote(orderNumber, note),
    onSuccess: () => onDraft({ note: "" }),
    onSettled: () => queries.invalidateQueries({ queryKey: historyKey(orderNumber) }),
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (text.trim() !== "" && !add.isPending) add.mutate(text.trim());
  };
  return (
    <form onSubmit={submit} className="grid gap-2">
      <label className="grid gap-1 text-[13px] text-mute">
        {t("history.noteText")}
        <textarea
          rows={2}
          maxLength={MOST}
          value={text}
          // What is typed while it is saved would be lost with it.
          readOnly={add.isPending}
          onChange={(event) => onDraft({ note: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
          }}
          className="rounded-[9px] border border-line bg-card px-2.5 py-2 text-sm text-ink"
        />
      </label>
      {add.error && (
        <p role="alert" className="text-[13px] text-bad">
          {failureSentence(add.error, t)}
        </p>
      )}
      <button
        type="submit"
        className="button button-small justify-self-start"
        disabled={text.trim() === ""}
        aria-busy={add.isPending}
      >
        {t("history.addNote")}
      </button>
    </form>
  );
}
