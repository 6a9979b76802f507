import * as Dialog from "@radix-ui/react-dialog";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { DANGER, ConfirmDialog } from "@/components/ConfirmDialog";
import { useLanguage } from "@/i18n/context";
import { deleteOrder } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";

/** Deletes the order with its files after a confirmation that lists what is lost. */
export function DeleteOrder({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const deletion = useDeletion(orderNumber);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="button button-small text-mute hover:text-bad">
        {t("detail.delete")}
      </Dialog.Trigger>
      <ConfirmDialog
        title={t("detail.delete.title", { number: orderNumber })}
        text={t("detail.delete.text")}
        notice={
          deletion.isError && (
            <p role="alert" className="mt-3 rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
              {failureSentence(deletion.error, t)}
            </p>
          )
        }
      >
        <Dialog.Close className="button">{t("detail.delete.keep")}</Dialog.Close>
        <button
          type="button"
          className={`button ${DANGER}`}
          disabled={deletion.isPending}
          onClick={() => deletion.mutate()}
        >
          {t("detail.delete.confirm")}
        </button>
      </ConfirmDialog>
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
