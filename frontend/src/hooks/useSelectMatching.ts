import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { MAX_SELECTED } from "@/lib/limits";
import { isExact } from "@/lib/stages";
import { showToast } from "@/lib/toasts";
import type { useOrders } from "./useOrders";

export interface Matching {
  /** Whether orders match that are not loaded, while all loaded ones are selected. */
  isOffered: boolean;
  isBusy: boolean;
  /** How many orders match; null if that is unknown. */
  total: number | null;
  select: () => Promise<void>;
}

/** Selects every order of the search and filter: loads the pages that are missing first. */
export function useSelectMatching(
  query: ReturnType<typeof useOrders>["query"],
  areAllLoadedSelected: boolean,
  set: (numbers: readonly string[]) => void,
): Matching {
  const { t } = useLanguage();
  const [isBusy, setBusy] = useState(false);
  const select = async () => {
    setBusy(true);
    let result = await query.fetchNextPage();
    const numbers = () =>
      result.data?.pages.flatMap((page) => page.items.map((item) => item.order_number)) ?? [];
    while (result.hasNextPage && !result.isError && numbers().length < MAX_SELECTED)
      result = await result.fetchNextPage();
    setBusy(false);
    // The list shows why a page could not be loaded.
    if (result.isError) return;
    set(numbers().slice(0, MAX_SELECTED));
    if (result.hasNextPage) showToast(t("list.selectedLimit", { count: MAX_SELECTED }));
  };
  const count = query.data?.pages[0]?.total ?? null;
  const total = count !== null && isExact(count) ? count : null;
  return { isOffered: query.hasNextPage && areAllLoadedSelected, isBusy, total, select };
}
