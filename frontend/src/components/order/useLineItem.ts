import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/client";
import { useLanguage } from "@/i18n/context";
import {
  changeLineItem,
  fetchLineItem,
  type LineItemPatch,
  type LineItemState,
  type ReadLineItem,
} from "@/lib/bookApi";
import { failureSentence, isChangedMeanwhile } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { showToast } from "@/lib/toasts";
import { differences, patchOf, textsOf, type ItemField, type ItemTexts } from "./lineItemForm";
import type { LineItem, Order } from "./model";

/** A line item while it is edited. */
export interface Editing {
  texts: ItemTexts;
  /** The item as it was read; what is sent are the differences to it. */
  read: ReadLineItem;
  /** Fields that another person changed since, with their values now. */
  conflicts: Partial<Record<ItemField, string>>;
  failure: string | undefined;
}

/** Editing a line item; a change that another person made meanwhile is shown, not overwritten. */
export function useLineItem(orderNumber: string, itemId: number) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [editing, setEditing] = useState<Editing>();
  const [busy, setBusy] = useState(false);
  const once = async (act: () => Promise<void>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    await act();
    setBusy(false);
  };
  const begin = () =>
    once(async () => {
      try {
        const read = await fetchLineItem(orderNumber, itemId);
        setEditing({ texts: textsOf(read.state), read, conflicts: {}, failure: undefined });
      } catch (error) {
        showToast(failureSentence(error, t), "bad");
      }
    });
  const save = (now: Editing) =>
    once(async () => {
      try {
        await changeLineItem(orderNumber, now.read, patchOf(now.texts, now.read.state));
        await queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
        setEditing(undefined);
      } catch (error) {
        const next = isChangedMeanwhile(error) ? await reread(now).catch((other: unknown) => other) : error;
        setEditing(isEditing(next) ? next : { ...now, failure: failureSentence(next, t) });
      }
    });
  const reread = async (now: Editing): Promise<Editing> => {
    const read = await fetchLineItem(orderNumber, itemId);
    const conflicts = differences(now.read.state, read.state);
    // What the other person changed, and this one did not, is taken over.
    const own = differences(now.read.state, now.texts);
    // The shop's values alone may have changed, which no field shows.
    const failure = Object.keys(conflicts).length > 0 ? undefined : t("item.changedMeanwhile");
    return { texts: { ...textsOf(read.state), ...own }, read, conflicts, failure };
  };
  return {
    editing,
    busy,
    begin: () => void begin(),
    save: (now: Editing) => void save(now),
    /** While it is saved, nothing is changed: it would be lost with the form. */
    change: (texts: ItemTexts) => {
      if (!busy) setEditing((now) => now && { ...now, texts });
    },
    /** Discard the own changes for the other person's. */
    takeOver: () =>
      setEditing(
        (now) => now && { ...now, texts: textsOf(now.read.state), conflicts: {}, failure: undefined },
      ),
    close: () => setEditing(undefined),
  };
}

const isEditing = (value: unknown): value is Editing =>
  typeof value === "object" && value !== null && "texts" in value;

/** Changes single values of an item, one change after another, if they are still those on the screen. */
export function useItemPatch(orderNumber: string, item: LineItem, onChanged?: () => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const key = orderKey(orderNumber);
  return useMutation({
    scope: { id: `line-item-${item.id}` },
    // Without a connection, it fails at once, as all other changes of an item.
    networkMode: "always",
    mutationFn: async (changes: LineItemPatch): Promise<void> => {
      // A change before this one has changed what is shown.
      const known = queries.getQueryData<Order>(key)?.line_items.find(({ id }) => id === item.id);
      const read = await fetchLineItem(orderNumber, item.id);
      const isShown = Object.keys(differences(known ?? item, read.state)).length === 0;
      if (!isShown) throw new ApiError(412, null);
      const changed = await changeLineItem(orderNumber, read, changes);
      queries.setQueryData<Order>(key, (order) => order && withLineItem(order, changed));
    },
    onSuccess: () => onChanged?.(),
    onError: (error) =>
      showToast(isChangedMeanwhile(error) ? t("item.changedMeanwhile") : failureSentence(error, t), "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
}

/** The order with the values of a changed item. */
function withLineItem(order: Order, { id, title, quantity, dedication, layout }: LineItemState): Order {
  const values = { title, quantity, dedication, layout };
  const items = order.line_items.map((item) => (item.id === id ? { ...item, ...values } : item));
  return { ...order, line_items: items };
}
