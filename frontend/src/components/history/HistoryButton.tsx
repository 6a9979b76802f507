import * as Dialog from "@radix-ui/react-dialog";
import { lazy, Suspense, useState } from "react";
import { useLanguage } from "@/i18n/context";
import { useShortcuts } from "@/lib/shortcuts";
import type { Drafts } from "./useDetails";

const HistoryPanel = lazy(() => import("./HistoryPanel"));

/** Opens the panel with history, notes, customer and assignee of an order; also by the key `h`. */
export function HistoryButton({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const [drafts, setDrafts] = useState<Drafts>({ note: "" });
  useShortcuts([{ key: "h", label: t("history.key"), run: () => setOpen(true) }]);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="button button-small">{t("history.open")}</Dialog.Trigger>
      {open && (
        <Suspense>
          <HistoryPanel
            orderNumber={orderNumber}
            drafts={drafts}
            onDraft={(changed) => setDrafts((now) => ({ ...now, ...changed }))}
          />
        </Suspense>
      )}
    </Dialog.Root>
  );
}
