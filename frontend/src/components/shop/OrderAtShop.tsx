import { useMutation } from "@tanstack/react-query";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { syncOrder } from "@/lib/api";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";

interface OrderAtShopProps {
  order: { order_number: string; shop_url?: string | null };
}

/** Syncs the order with the shop, and links to it there; nothing for manual orders. */
export function OrderAtShop({ order }: OrderAtShopProps) {
  const { t } = useLanguage();
  const sync = useMutation({
    mutationFn: () => syncOrder(order.order_number),
    onSuccess: () => showToast(t("shop.synced")),
    onError: (error) => showToast(t("shop.syncFailed", { reason: failureSentence(error, t) }), "bad"),
  });
  if (!order.shop_url) return null;
  return (
    <>
      <ForOperators>
        <button
          type="button"
          className="button button-small"
          disabled={sync.isPending}
          aria-busy={sync.isPending}
          onClick={() => sync.mutate()}
        >
          <Icon name="retry" />
          {t(sync.isPending ? "shop.fetching" : "shop.sync")}
        </button>
      </ForOperators>
      <a href={order.shop_url} target="_blank" rel="noreferrer" className="button button-small">
        <Icon name="external" />
        {t("shop.open")}
      </a>
    </>
  );
}
