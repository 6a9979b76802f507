import { memo } from "react";
import { Link } from "react-router";
import { StatusBadge } from "@/components/StatusBadge";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { cn } from "@/lib/cn";
import { when } from "@/lib/when";
import type { OrderListItem } from "@/types";
import { Progress } from "./Progress";
import { Thumbnails } from "./Thumbnails";

/** The columns, from laptop width on; below it a row is two lines. */
export const COLUMNS =
  "lg:grid lg:grid-cols-[1.25rem_minmax(6.5rem,0.8fr)_minmax(9rem,1.3fr)_10.5rem_minmax(13rem,1.5fr)_minmax(7rem,0.8fr)_9.5rem] lg:items-center lg:gap-x-4 lg:gap-y-0";

interface OrderRowProps {
  order: OrderListItem;
  now: number;
  isNew: boolean;
  isCurrent: boolean;
  isSelected: boolean;
  onSelect: (orderNumber: string) => void;
}

function Payment({ status }: { status: string | null }) {
  const { t } = useLanguage();
  if (status === null) return <span className="text-mute">{t("list.none")}</span>;
  const key = `payment.${status.toLowerCase()}`;
  return <span className="truncate">{isTextKey(key) ? t(key) : status}</span>;
}

function Customer({ order }: { order: OrderListItem }) {
  const { t } = useLanguage();
  const fallback = order.source === "manual" ? t("list.manual") : t("list.noName");
  return (
    <>
      <div className={cn("truncate", order.customer_name === null && "text-mute")}>
        {order.customer_name ?? fallback}
      </div>
      <div className="truncate text-[12.5px] text-mute">
        {order.customer_email ?? t("photos", { count: order.image_count })}
      </div>
    </>
  );
}

function Bars({ order }: { order: OrderListItem }) {
  const { t } = useLanguage();
  if (order.image_count === 0) return null;
  return (
    <div className="flex flex-col gap-1">
      <Progress
        label={t("list.colorings")}
        done={order.coloring_completed}
        total={order.image_count}
        color="bg-ink"
      />
      <Progress
        label={t("list.svgs")}
        done={order.svg_completed}
        total={order.image_count}
        color="bg-accent"
      />
    </div>
  );
}

function SelectBox({
  order,
  isSelected,
  onSelect,
}: Pick<OrderRowProps, "order" | "isSelected" | "onSelect">) {
  const { t } = useLanguage();
  return (
    <label className="relative z-10 -m-3 grid size-11 place-items-center">
      <input
        type="checkbox"
        checked={isSelected}
        onChange={() => onSelect(order.order_number)}
        aria-label={t("list.select", { number: order.order_number })}
        className="size-4 accent-(--ink)"
      />
    </label>
  );
}

/** The link covers its row, so that a click anywhere but on the box opens the order. */
function NumberLink({ order, now }: { order: OrderListItem; now: number }) {
  const { language } = useLanguage();
  return (
    <>
      <Link
        to={`/orders/${encodeURIComponent(order.order_number)}`}
        data-order={order.order_number}
        className="font-semibold tabular-nums outline-none after:absolute after:inset-0 focus-visible:after:rounded-lg focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
      >
        {order.order_number}
      </Link>
      <time dateTime={order.created_at} className="block truncate text-[12.5px] text-mute">
        {when(order.created_at, now, language)}
      </time>
    </>
  );
}

/** One order in the list: a line of columns, or at phone width two lines. */
export const OrderRow = memo(function OrderRow({
  order,
  now,
  isNew,
  isCurrent,
  isSelected,
  onSelect,
}: OrderRowProps) {
  return (
    <div
      className={cn(
        "relative flex h-full flex-wrap content-center items-center gap-x-3 gap-y-2.5 border-b border-line px-4 transition-colors hover:bg-soft/60 sm:max-lg:grid sm:max-lg:grid-cols-[1.25rem_9.5rem_1fr_auto]",
        isSelected && "bg-soft",
        isNew && "bg-linear-to-r from-accent-soft to-60%",
        isCurrent && "shadow-[inset_3px_0_0_var(--accent)]",
        COLUMNS,
      )}
    >
      <div role="cell">
        <SelectBox order={order} isSelected={isSelected} onSelect={onSelect} />
      </div>
      <div role="cell" className="min-w-0 max-sm:w-[5.5rem]">
        <NumberLink order={order} now={now} />
      </div>
      <div role="cell" className="min-w-0 max-sm:flex-1">
        <Customer order={order} />
      </div>
      <div role="cell" className="max-lg:order-last max-sm:hidden sm:max-lg:col-span-2">
        <Thumbnails urls={order.thumbnails} count={order.image_count} />
      </div>
      <div role="cell" className="min-w-0 max-lg:order-last max-sm:w-full sm:max-lg:col-span-2">
        <Bars order={order} />
      </div>
      <div role="cell" className="min-w-0 max-lg:hidden">
        <Payment status={order.payment_status} />
      </div>
      <div role="cell">
        <StatusBadge kind="order" status={order.status} />
      </div>
    </div>
  );
});
