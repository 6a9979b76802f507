import { useCallback, useMemo } from "react";
import { useLanguage } from "@/i18n/context";
import { showToast } from "@/lib/toasts";
import type { OrderListItem } from "@/types";
import { useBulkBooks } from "./useBulkBooks";
import { useBulkGenerate, type BulkKind } from "./useBulkGenerate";
import { useOptions } from "./useOptions";
import { useSelection } from "./useSelection";

/** Number of orders that the API joins in one PDF. */
const MAX_BOOKS = 100;

/**
 * The selection of the list and its actions. Only loaded orders count: actions must not apply to orders that a
 * search or filter hides.
 */
export function useListWork(orders: readonly OrderListItem[]) {
  const { t } = useLanguage();
  const options = useOptions();
  const { progress, run } = useBulkGenerate(options.toSend);
  const books = useBulkBooks();
  const selection = useSelection();
  const numbers = useMemo(() => orders.map((order) => order.order_number), [orders]);
  const selected = useMemo(
    () => new Set(numbers.filter((number) => selection.selected.has(number))),
    [numbers, selection.selected],
  );

  /** Generate for the selected orders, or without a selection for `current`. Refused orders stay selected. */
  const generate = async (kind: BulkKind, current: string | null = null) => {
    if (progress !== null) return;
    const chosen = selected.size > 0 ? [...selected] : current === null ? [] : [current];
    if (chosen.length === 0) {
      showToast(t("list.chooseFirst"));
      return;
    }
    const refused = new Set(await run(kind, chosen));
    selection.remove(chosen.filter((number) => !refused.has(number)));
  };
  /** One PDF of the books of the selected orders. Refused orders stay selected. */
  const printBooks = async () => {
    if (books.progress !== null) return;
    const chosen = [...selected];
    if (chosen.length > MAX_BOOKS) {
      showToast(t("list.books.limit", { count: MAX_BOOKS }), "bad");
      return;
    }
    const refused = new Set(await books.run(chosen));
    selection.remove(chosen.filter((number) => !refused.has(number)));
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
    generate,
    books: books.progress,
    printBooks,
    selectAll,
    select,
    set: selection.set,
    clear: selection.clear,
  };
}
