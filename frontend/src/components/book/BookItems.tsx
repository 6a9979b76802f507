import { Choice } from "@/components/Choice";
import { deliverableItemsOf } from "@/components/order/cached-order";
import { layoutChoices } from "@/components/order/layouts";
import type { LineItem, Order } from "@/components/order/model";
import { useItemPatch } from "@/components/order/useLineItem";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";

interface BookItemsProps {
  order: Order;
  /** After a change of what the books are made of. */
  onChanged: () => void;
}

/** The order's books, with the layout of each. */
export function BookItems({ order, onChanged }: BookItemsProps) {
  const { t } = useLanguage();
  return (
    <section aria-labelledby="book-items">
      <h3 id="book-items" className="mb-1.5 text-[13px] font-medium text-mute">
        {t("book.items")}
      </h3>
      <ul className="grid gap-2">
        {deliverableItemsOf(order).map((item) => (
          <li key={item.id}>
            <Item orderNumber={order.order_number} item={item} onChanged={onChanged} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Item({
  orderNumber,
  item,
  onChanged,
}: {
  orderNumber: string;
  item: LineItem;
  onChanged: () => void;
}) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const patch = useItemPatch(orderNumber, item, onChanged);
  // The last chosen layout, also before it is saved.
  const layout = (patch.isPending ? patch.variables.layout : item.layout) ?? null;
  return (
    <>
      <p className="truncate text-[13px] font-medium">
        {item.title}
        <span className="text-mute"> × {item.quantity}</span>
      </p>
      {canEdit ? (
        <div className="[&_label]:justify-between [&_select]:min-w-36">
          <Choice
            label={t("detail.layout")}
            value={layout ?? "auto"}
            choices={layoutChoices(layout, t)}
            onChoose={(chosen) => patch.mutate({ layout: chosen === "auto" ? null : chosen })}
          />
        </div>
      ) : (
        item.layout && <p className="text-[13px] text-mute">{`${t("detail.layout")}: ${item.layout}`}</p>
      )}
    </>
  );
}
