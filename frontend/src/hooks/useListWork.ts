import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useLanguage } from "@/i18n/context";
import { requestAction, type BulkAction } from "@/lib/bulkActions";
import type { ZipContent } from "@/lib/bulkFiles";
import { failureSentence } from "@/lib/failure";
import { MAX_JOINED } from "@/lib/limits";
import { showToast } from "@/lib/toasts";
import type { OrderListItem } from "@/types";
import { useBulkBooks } from "./useBulkBooks";
import { useBulkQuestion } from "./useBulkQuestion";
import { showRefusals, useBulkRun } from "./useBulkRun";
import { useOptions } from "./useOptions";
import { useSelection } from "./useSelection";

/**
 * The selection of the list and its actions. Only loaded orders count: actions must not apply to orders that a
 * search or filter hides.
 */
export function useListWork(orders: readonly OrderListItem[]) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const options = useOptions();
  const { progress, run } = useBulkRun();
  const { confirm, dialog } = useBulkQuestion();
  const books = useBulkBooks();
  const [isZipping, setZipping] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const selection = useSelection();
  const numbers = useMemo(() => orders.map((order) => order.order_number), [orders]);
  const selected = useMemo(
    () => new Set(numbers.filter((number) => selection.selected.has(number))),
    [numbers, selection.selected],
  );
  const isBusy = progress !== null || books.progress !== null || isZipping || isAsking;

  /** Refused orders stay selected. */
  const unselect = (chosen: readonly string[], refused: readonly string[]) =>
    selection.remove(chosen.filter((number) => !refused.includes(number)));

  /** Apply an action to the selected orders, or without a selection to `current`. */
  const act = async (action: BulkAction, current: string | null = null) => {
    if (isBusy) return;
    const chosen = selected.size > 0 ? [...selected] : current === null ? [] : [current];
    if (chosen.length === 0) {
      showToast(t("list.chooseFirst"));
      return;
    }
    const chosenOrders = orders.filter((order) => chosen.includes(order.order_number));
    setAsking(true);
    const reason = await confirm(action, chosenOrders, options.toSend);
    setAsking(false);
    if (reason === null) return;
    const wanted = { action, options: options.toSend, reason };
    const refused = await run(chosen, (number) => requestAction(number, wanted, { t, queries }));
    const done = chosen.length - refused.length;
    if (done > 0) showToast(t(`list.${action}.done`, { count: done }));
    unselect(chosen, refused);
  };

  /** The selected orders if their files fit in one; otherwise shows why not. */
  const joinable = (tooMany: "list.books.limit" | "list.zip.limit"): readonly string[] => {
    if (isBusy) return [];
    if (selected.size <= MAX_JOINED) return [...selected];
    showToast(t(tooMany, { count: MAX_JOINED }), "bad");
    return [];
  };
  /** One PDF of the books of the selected orders. */
  const printBooks = async () => {
    const chosen = joinable("list.books.limit");
    if (chosen.length > 0) unselect(chosen, await books.run(chosen));
  };
  /** One ZIP of the files of the selected orders, which stay selected. */
  const zip = async (what: ZipContent) => {
    const chosen = joinable("list.zip.limit");
    if (chosen.length === 0) return;
    setZipping(true);
    try {
      const { downloadZip } = await import("@/lib/bulkFiles");
      const { left, error } = await downloadZip(chosen, what);
      if (left.length > 0) showRefusals(new Map([[failureSentence(error, t), left]]), t);
    } catch (error) {
      showToast(failureSentence(error, t), "bad");
    } finally {
      setZipping(false);
    }
  };
  const { toggle, toggleTo } = selection;
  /** Toggle an order, with `isRange` (Shift) all from the last one to it. */
  const select = useCallback(
    (number: string, isRange = false) => (isRange ? toggleTo(number, numbers) : toggle(number)),
    [toggle, toggleTo, numbers],
  );
  const selectAll = () => (selected.size === orders.length ? selection.clear() : selection.set(numbers));
  return {
    options,
    progress,
    selected,
    act,
    isBusy,
    dialog,
    isZipping,
    books: books.progress,
    printBooks,
    zip,
    selectAll,
    select,
    set: selection.set,
    clear: selection.clear,
  };
}
