import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { pauseQueue, QUEUES_KEY, queuesQuery, type PausableQueue, type QueueKind } from "@/lib/queues";
import { showToast } from "@/lib/toasts";
import { useMercure } from "./useMercure";

/** The queues that can be paused, kept up to date; empty until the API responded. */
export function useQueues(): readonly PausableQueue[] {
  const queries = useQueryClient();
  const { data } = useQuery(queuesQuery);
  const refetch = () => void queries.invalidateQueries({ queryKey: QUEUES_KEY });
  useMercure({ onOpen: refetch, onEvent: (event) => event.type === "queue_update" && refetch() });
  return data?.queues ?? [];
}

/** Pauses or resumes a queue; shows the server's answer. */
export function usePause(kind: QueueKind): { isPending: boolean; pause: (isPaused: boolean) => void } {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: (isPaused: boolean) => pauseQueue(kind, isPaused),
    onSuccess: (queues) => queries.setQueryData(QUEUES_KEY, queues),
    onError: (error) => {
      showToast(failureSentence(error, t), "bad");
      void queries.invalidateQueries({ queryKey: QUEUES_KEY });
    },
  });
  return { isPending, pause: mutate };
}
