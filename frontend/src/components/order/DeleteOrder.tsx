import * as Dialog from "@radix-ui/react-dialog";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useLanguage } from "@/i18n/context";
import { deleteOrder } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";

/** Deletes the order with its files, after a question that says what is lost. */
export function DeleteOrder({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const deletion = useDeletion(orderNumber);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="button button-small text-mute hover:text-bad">
        {t("detail.delete")}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
        <Dialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line bg-card p-5 shadow-float">
          <Dialog.Title className="text-base font-semibold">
            {t("detail.delete.title", { number: orderNumber })}
          </Dialog.Title>
          <Dialog.Description className="mt-1.5 text-mute">{t("detail.delete.text")}</Dialog.Description>
          {deletion.isError && (
            <p role="alert" className="mt-3 rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
              {failureSentence(deletion.error, t)}
            </p>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <Dialog.Close className="button">{t("detail.delete.keep")}</Dialog.Close>
            <button
              type="button"
              className="button border-bad bg-bad text-white hover:bg-bad/85 dark:text-[#1d1b18]"
              disabled={deletion.isPending}
              onClick={() => deletion.mutate()}
            >
              {t("detail.delete.confirm")}
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useDeletion(orderNumber: string) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => deleteOrder(orderNumber),
    onSuccess: async () => {
      showToast(t("detail.deleted", { number: orderNumber }));
      await navigate("/");
      queries.removeQueries({ queryKey: orderKey(orderNumber) });
      await queries.invalidateQueries({ queryKey: ["orders"] });
    },
  });
}
