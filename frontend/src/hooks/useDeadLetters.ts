import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { dismissDeadLetter, requeueDeadLetter, type DeadLetter, type SystemState } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { withoutLetter } from "@/lib/system";
import { SYSTEM_KEY } from "@/lib/systemQuery";
import { showToast } from "@/lib/toasts";

type Action = (sequence: number) => Promise<unknown>;

/** Removes a letter from the cached state; cancels a running refetch, which would bring it back. */
function useRemoval() {
  const queryClient = useQueryClient();
  return async (sequence: number) => {
    await queryClient.cancelQueries({ queryKey: SYSTEM_KEY });
    queryClient.setQueryData<SystemState>(SYSTEM_KEY, (system) => system && withoutLetter(system, sequence));
  };
}

/** *Requeue* and *Dismiss*. `busy`: an action is running; `refusals`: reasons of refusals by sequence. */
export function useDeadLetters() {
  const { t } = useLanguage();
  const queryClient = useQueryClient();
  const remove = useRemoval();
  const [busy, setBusy] = useState(false);
  const [refusals, setRefusals] = useState<ReadonlyMap<number, string>>(new Map());
  const refetch = () => queryClient.invalidateQueries({ queryKey: SYSTEM_KEY });

  const act = async (action: Action, { sequence }: DeadLetter): Promise<boolean> => {
    try {
      await action(sequence);
      await remove(sequence);
      return true;
    } catch (error) {
      setRefusals((before) => new Map(before).set(sequence, failureSentence(error, t)));
      return false;
    }
  };
  const actOnOne = async (action: Action, letter: DeadLetter, done: string) => {
    setBusy(true);
    if (await act(action, letter)) showToast(done);
    await refetch();
    setBusy(false);
  };

  /** The API lists only the newest letters: continue until it lists no untried ones. */
  const requeueAll = async () => {
    setBusy(true);
    const tried = new Set<number>();
    let requeued = 0;
    const untried = () =>
      queryClient
        .getQueryData<SystemState>(SYSTEM_KEY)
        ?.dead_letters?.newest.filter((letter) => !tried.has(letter.sequence)) ?? [];
    for (let letters = untried(); letters.length > 0; letters = untried()) {
      for (const letter of letters) {
        tried.add(letter.sequence);
        if (await act(requeueDeadLetter, letter)) requeued += 1;
      }
      await refetch();
    }
    if (requeued > 0) showToast(t("system.letters.requeued", { count: requeued }));
    const refused = tried.size - requeued;
    if (refused > 0) showToast(t("system.letters.refused", { count: refused }), "bad");
    setBusy(false);
  };

  return {
    busy,
    refusals,
    requeueAll,
    requeue: (letter: DeadLetter) =>
      actOnOne(requeueDeadLetter, letter, t("system.letters.requeued", { count: 1 })),
    dismiss: (letter: DeadLetter) => actOnOne(dismissDeadLetter, letter, t("system.letter.dismissed")),
  };
}
