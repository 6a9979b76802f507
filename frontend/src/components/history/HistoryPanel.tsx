import * as Dialog from "@radix-ui/react-dialog";
import { Icon } from "@/components/Icon";
import { ModalContent } from "@/components/ModalContent";
import { ForOperators } from "@/components/session/ForOperators";
import { useOrderRefetches } from "@/hooks/useRefetches";
import { useLanguage } from "@/i18n/context";
import { historyKey } from "@/lib/historyApi";
import { Details } from "./Details";
import { HistoryList } from "./HistoryList";
import { NoteForm } from "./NoteForm";
import type { DraftsProps } from "./useDetails";

/** Bursts of updates, as of an order that is generated, cause one refetch. */
const REFETCH_DELAY_MS = 200;

/** What was done to an order and by whom, beside it: with its customer, its assignee and notes. */
export default function HistoryPanel({ orderNumber, ...drafts }: DraftsProps & { orderNumber: string }) {
  const { t } = useLanguage();
  // Every update of the order may be an entry.
  useOrderRefetches(orderNumber, historyKey, REFETCH_DELAY_MS);
  return (
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
      <ModalContent
        aria-describedby={undefined}
        className="fixed inset-y-0 right-0 z-40 flex w-full flex-col bg-paper shadow-float sm:max-w-[27rem] sm:border-l sm:border-line"
      >
        <div className="flex items-center gap-3 border-b border-line bg-card px-4 py-2.5">
          <Dialog.Title className="min-w-0 text-lg font-semibold tracking-tight">
            {t("history.title", { number: orderNumber })}
          </Dialog.Title>
          <Dialog.Close className="icon-button ml-auto shrink-0" aria-label={t("action.close")}>
            <Icon name="close" />
          </Dialog.Close>
        </div>
        <div className="grid min-h-0 flex-1 content-start gap-5 overflow-y-auto p-4">
          <Details orderNumber={orderNumber} drafts={drafts} />
          <ForOperators>
            <NoteForm orderNumber={orderNumber} {...drafts} />
          </ForOperators>
          <HistoryList orderNumber={orderNumber} />
        </div>
      </ModalContent>
    </Dialog.Portal>
  );
}
