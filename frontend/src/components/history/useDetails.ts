import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { failureSentence, isChangedMeanwhile } from "@/lib/failure";
import { changeDetails, detailsQuery, fetchDetails, historyKey, type ReadDetails } from "@/lib/historyApi";
import { orderKey } from "@/lib/orderQuery";
import { collisions, differences, patchOf, textsOf, type DetailTexts } from "./detailsForm";

/** What an operator has typed and not saved, and the details that it was typed over. */
export interface DetailsDraft {
  own: Partial<DetailTexts>;
  over: ReadDetails;
  /** Fields that another person changed since, with their texts now; they were not overwritten. */
  conflicts: Partial<DetailTexts>;
}

/** What was typed in the panel and not saved: it survives its closing. */
export interface Drafts {
  note: string;
  details?: DetailsDraft | undefined;
}

export interface DraftsProps {
  drafts: Drafts;
  onDraft: (changed: Partial<Drafts>) => void;
}

/** Customer, note and assignee: kept up to date, and changed without overwriting another person's change. */
export function useDetails(orderNumber: string, { drafts, onDraft }: DraftsProps) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const query = useQuery(detailsQuery(orderNumber));
  const draft = drafts.details;
  const setDraft = (details: DetailsDraft | undefined): void => onDraft({ details });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const read = query.data;
  const texts = read && { ...textsOf(read.state), ...draft?.own };
  const own = (read && texts && differences(textsOf(read.state), texts)) ?? {};

  const reread = async (now: DetailsDraft): Promise<void> => {
    const over = await fetchDetails(orderNumber);
    queries.setQueryData(detailsQuery(orderNumber).queryKey, over);
    const theirs = differences(textsOf(now.over.state), textsOf(over.state));
    const conflicts = collisions(theirs, now.own);
    setDraft({ own: now.own, over, conflicts });
    // What others changed is in other fields, or it is the shop's value: saving again is safe.
    if (Object.keys(conflicts).length === 0) setFailure(t("history.changedMeanwhile"));
  };

  const send = async (now: DetailsDraft): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const saved = await changeDetails(orderNumber, now.over.etag, patchOf(now.own));
      queries.setQueryData(detailsQuery(orderNumber).queryKey, saved);
      setDraft(undefined);
      void queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
      void queries.invalidateQueries({ queryKey: historyKey(orderNumber) });
    } catch (error) {
      const failed = isChangedMeanwhile(error) ? await reread(now).catch((other: unknown) => other) : error;
      if (failed !== undefined) setFailure(failureSentence(failed, t));
    }
    setBusy(false);
  };

  return {
    query,
    texts,
    busy,
    failure,
    conflicts: draft?.conflicts ?? {},
    isChanged: Object.keys(own).length > 0,
    /** While it is saved, nothing is changed: it would be lost with the draft. */
    change: (field: keyof DetailTexts, text: string) => {
      if (busy || !read) return;
      setDraft({
        own: { ...draft?.own, [field]: text },
        over: draft?.over ?? read,
        conflicts: draft?.conflicts ?? {},
      });
    },
    save: () => {
      if (draft && Object.keys(own).length > 0) void send({ ...draft, own });
    },
    /** Save fields as they are, which also settles the shop's change of them. */
    saveNow: (fields: Partial<DetailTexts>) => {
      if (read) void send({ own: fields, over: read, conflicts: {} });
    },
    /** Discard what was typed. */
    discard: () => {
      setDraft(undefined);
      setFailure(undefined);
    },
  };
}
