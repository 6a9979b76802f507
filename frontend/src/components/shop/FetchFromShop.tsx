import type { InfiniteData } from "@tanstack/react-query";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { fetchFromShop } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";
import type { OrderPage } from "@/types";

/** Whether a shop is connected, by the last response: the current filter's may not have arrived yet. */
export function useShopConfigured(data: InfiniteData<OrderPage> | undefined): boolean {
  const current = data?.pages[0]?.shop_configured;
  const [known, setKnown] = useState(false);
  if (current !== undefined && current !== known) setKnown(current);
  return current ?? known;
}

/** Fetches the shop's orders; they appear in the list one by one as they are stored. */
export function FetchFromShop() {
  const { t } = useLanguage();
  const fetching = useMutation({
    mutationFn: fetchFromShop,
    onSuccess: () => showToast(t("shop.fetched")),
    onError: (error) => showToast(t("shop.fetchFailed", { reason: failureSentence(error, t) }), "bad"),
  });
  return (
    <button
      type="button"
      className="button"
      disabled={fetching.isPending}
      aria-busy={fetching.isPending}
      onClick={() => fetching.mutate()}
    >
      {t(fetching.isPending ? "shop.fetching" : "shop.fetch")}
    </button>
  );
}
