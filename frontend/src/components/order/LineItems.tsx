import * as Dialog from "@radix-ui/react-dialog";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmDialog, DANGER } from "@/components/ConfirmDialog";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { fetchLineItem } from "@/lib/bookApi";
import { failureSentence } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { addLineItem, deleteLineItem } from "@/lib/photoApi";
import { showToast } from "@/lib/toasts";
import type { LineItem } from "./model";

/** Adds a line item, without photos and with the default title, to a manual order. */
export function AddLineItem({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const addition = useMutation({
    mutationFn: () => addLineItem(orderNumber),
    onError: (error) => showToast(failureSentence(error, t), "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(orderNumber) }),
  });
  return (
    <button
      type="button"
      className="button mt-7 aria-disabled:opacity-50"
      aria-disabled={addition.isPending}
      onClick={() => {
        if (!addition.isPending) addition.mutate();
      }}
    >
      <Icon name="plus" />
      {t("item.add")}
    </button>
  );
}

/** Removes a line item of a manual order with its photos, after a question. */
export function RemoveLineItem({ orderNumber, item }: { orderNumber: string; item: LineItem }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const removal = useMutation({
    mutationFn: async () => deleteLineItem(orderNumber, await fetchLineItem(orderNumber, item.id)),
    onSuccess: () => setOpen(false),
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(orderNumber) }),
  });
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger
        className="self-center rounded-[7px] px-1.5 py-1 text-[13px] text-mute hover:text-bad"
        aria-label={t("item.remove.of", { title: item.title })}
      >
        {t("item.remove")}
      </Dialog.Trigger>
      <ConfirmDialog
        title={t("item.remove.title", { title: item.title })}
        text={t("item.remove.text", { count: item.images.length })}
        notice={
          removal.isError && (
            <p role="alert" className="mt-3 rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
              {failureSentence(removal.error, t)}
            </p>
          )
        }
      >
        <Dialog.Close className="button">{t("detail.delete.keep")}</Dialog.Close>
        <button
          type="button"
          className={`button ${DANGER}`}
          disabled={removal.isPending}
          onClick={() => removal.mutate()}
        >
          {t("item.remove.confirm")}
        </button>
      </ConfirmDialog>
    </Dialog.Root>
  );
}
