import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { ShopBadge } from "@/components/ShopBadge";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { LineItemForm } from "./LineItemForm";
import { RemoveLineItem } from "./LineItems";
import type { LineItem } from "./model";
import { ShopValues } from "./ShopValues";
import { useFocusFallback } from "./useFocusFallback";
import { useLineItem } from "./useLineItem";

interface LineItemHeadProps {
  orderNumber: string;
  item: LineItem;
  /** False if the shop cancelled the order or removed the item. */
  isDeliverable: boolean;
  isRemovable?: boolean;
}

/** What a book is made of: title, copies, dedication and layout, and the form that changes them. */
export function LineItemHead({ orderNumber, item, isDeliverable, isRemovable = false }: LineItemHeadProps) {
  const { t } = useLanguage();
  const edit = useLineItem(orderNumber, item.id);
  const fallback = useFocusFallback();
  return (
    <div ref={fallback} tabIndex={-1} className="mb-3 outline-none max-md:mb-2">
      <div className="flex flex-wrap items-baseline gap-x-3.5 gap-y-1">
        <h2
          id={`item-${item.id}`}
          tabIndex={-1}
          className="scroll-mt-36 rounded text-lg font-semibold break-words outline-offset-4 md:scroll-mt-46 md:max-lg:scroll-mt-56"
        >
          {item.title}
          {item.quantity > 1 && <span className="text-mute"> × {item.quantity}</span>}
        </h2>
        {item.removed && <ShopBadge what="removed" />}
        {item.dedication && (
          <p className="min-w-0 text-[13px] text-mute">
            {t("detail.dedication")}{" "}
            <q className="break-words whitespace-pre-line text-ink">{item.dedication}</q>
          </p>
        )}
        {item.layout && (
          <p className="text-[13px] text-mute">
            {t("detail.layout")} <span className="text-ink">{layoutName(item.layout, t)}</span>
          </p>
        )}
        {isDeliverable && !edit.editing && (
          <ForOperators>
            <button
              type="button"
              className="flex items-center gap-1 self-center rounded-[7px] px-1.5 py-1 text-[13px] text-mute hover:text-ink"
              aria-label={t("item.edit.of", { title: item.title })}
              aria-busy={edit.busy}
              onClick={edit.begin}
            >
              <Icon name="settings" />
              {t("item.edit")}
            </button>
            {isRemovable && <RemoveLineItem orderNumber={orderNumber} item={item} />}
          </ForOperators>
        )}
      </div>
      {item.shop_values && <ShopValues orderNumber={orderNumber} item={item} values={item.shop_values} />}
      {edit.editing && <LineItemForm now={edit.editing} edit={edit} />}
    </div>
  );
}

/** The name of a layout that Pastelka knows; the shop's word unchanged. */
function layoutName(layout: string, t: ReturnType<typeof useLanguage>["t"]): string {
  const key = `book.layout.${layout}`;
  return isTextKey(key) ? t(key) : layout;
}
