import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { formatDayAndTime } from "@/lib/dates";
import { ITEM_FIELDS } from "./lineItemForm";
import type { LineItem } from "./model";
import { useItemPatch } from "./useLineItem";

interface ShopValuesProps {
  orderNumber: string;
  item: LineItem;
  values: NonNullable<LineItem["shop_values"]>;
}

/** The shop's values of what was changed here; marked if the shop changed them afterwards. */
export function ShopValues({ orderNumber, item, values }: ShopValuesProps) {
  const { t, language } = useLanguage();
  const patch = useItemPatch(orderNumber, item);
  const changedAt = item.shop_changed_at ?? null;
  const fields = ITEM_FIELDS.filter((field) => values[field] !== undefined);
  /** The values that `source` has of all fields that differ: with them, the shop's change is settled. */
  const valuesOf = (source: ShopValuesProps["values"]) =>
    Object.fromEntries(fields.map((field) => [field, source[field] ?? null]));
  return (
    <div
      data-shop-values={changedAt === null ? "older" : "newer"}
      className={cn(
        "mt-1 text-[13px]",
        changedAt === null ? "text-mute" : "rounded-[10px] bg-accent-soft px-3 py-2 text-ink",
      )}
    >
      {changedAt !== null && (
        <p className="font-medium">
          {t("item.shopChanged", { time: formatDayAndTime(changedAt, language) })}
        </p>
      )}
      <p>
        {t("item.shopValues")}{" "}
        {fields.map((field, index) => (
          <span key={field}>
            {index > 0 && "; "}
            {t(`item.${field}`)}: <q className="text-ink">{values[field] ?? ""}</q>
          </span>
        ))}
      </p>
      {changedAt !== null && (
        <ForOperators>
          <div className="mt-1.5 flex flex-wrap gap-2">
            <button
              type="button"
              className="button button-small"
              onClick={() => patch.mutate(valuesOf(values))}
            >
              {t("item.useShop")}
            </button>
            <button
              type="button"
              className="button button-small"
              onClick={() => patch.mutate(valuesOf(item))}
            >
              {t("item.keepOwn")}
            </button>
          </div>
        </ForOperators>
      )}
    </div>
  );
}
