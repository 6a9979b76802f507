import { memo } from "react";
import { Link } from "react-router";
import { PaymentBadge } from "@/components/PaymentBadge";
import { ShopBadge } from "@/components/ShopBadge";
import { ShopSign } from "@/components/shop/ShopLink";
import { UnreadSign } from "@/components/shop/UnreadSign";
import { StageBadge } from "@/components/StageBadge";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { when } from "@/lib/when";
import type { OrderListItem } from "@/types";
import { Progress } from "./Progress";
import { Thumbnails } from "./Thumbnails";

/** The columns from laptop width on; `--box` is the width of the checkbox, `--pull` compensates its gap. */
export const COLUMNS =
  "xl:grid xl:grid-cols-[var(--box,1.25rem)_7rem_minmax(10rem,1.2fr)_13.5rem_minmax(14rem,1.4fr)_9rem_9.5rem] xl:items-center xl:gap-x-4 xl:gap-y-0";
/** Below laptop width a row has two lines, at phone width four. */
const LINES =
  "grid grid-cols-[var(--box,1.25rem)_1fr_auto] content-center items-center gap-x-3 gap-y-1 sm:max-xl:grid-cols-[var(--box,1.25rem)_13.5rem_1fr_auto_auto] sm:max-xl:gap-y-2.5";

interface OrderRowProps {
  order: OrderListItem;
  now: number;
  isNew: boolean;
  isCurrent: boolean;
  isSelected: boolean;
  /** `isRange` with Shift: from the last selected order to this one. */
  onSelect: (orderNumber: string, isRange: boolean) => void;
}

function Customer({ order }: { order: OrderListItem }) {
  const { t } = useLanguage();
  const fallback = order.source === "manual" ? t("list.manual") : t("list.none");
  return (
    <div className="max-sm:flex max-sm:items-baseline max-sm:gap-2">
      <div className={cn("truncate", order.customer_name === null && "text-mute")}>
        {order.customer_name ?? fallback}
      </div>
      <div
        className={cn("truncate text-[12.5px] text-mute", order.customer_email === null && "max-xl:hidden")}
      >
        {order.customer_email ?? t("list.none")}
      </div>
    </div>
  );
}

function Bars({ order }: { order: OrderListItem }) {
  const { t } = useLanguage();
  if (order.image_count === 0) return <span className="text-mute max-xl:hidden">{t("list.none")}</span>;
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

/** What is failed, in progress and to review; nothing where there is none of it. */
function Work({ order }: { order: OrderListItem }) {
  const { t } = useLanguage();
  const parts = (["failed", "in_progress", "to_review"] as const).filter((part) => order[part] > 0);
  return (
    <div className="flex flex-wrap gap-x-2 text-xs text-mute max-sm:justify-end">
      {parts.map((part) => (
        <span key={part} className={cn("whitespace-nowrap", part === "failed" && "text-bad")}>
          {t(`stage.work.${part}`, { count: order[part] })}
        </span>
      ))}
    </div>
  );
}

type SelectCellProps = Pick<OrderRowProps, "order" | "isSelected" | "onSelect">;

/** The checkbox; empty for viewers, who cannot use a selection. */
function SelectCell({ order, isSelected, onSelect }: SelectCellProps) {
  const { t } = useLanguage();
  if (!useCanEdit()) return <span aria-hidden />;
  return (
    <div role="cell">
      <label className="relative z-10 -m-3 grid size-11 place-items-center select-none">
        <input
          type="checkbox"
          checked={isSelected}
          onChange={({ nativeEvent }) =>
            onSelect(order.order_number, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)
          }
          aria-label={t("list.select", { number: order.order_number })}
          className="size-4 accent-(--ink)"
        />
      </label>
    </div>
  );
}

/** The link covers the whole row, so that a click outside the checkbox opens the order. */
function NumberLink({ order, now }: { order: OrderListItem; now: number }) {
  const { language } = useLanguage();
  return (
    <div className="max-sm:flex max-sm:items-baseline max-sm:gap-2">
      <Link
        to={`/orders/${encodeURIComponent(order.order_number)}`}
        data-order={order.order_number}
        // It covers the whole row, where long names are cut.
        title={[order.customer_name, order.customer_email].filter(Boolean).join(" · ") || undefined}
        className="font-semibold tabular-nums outline-none after:absolute after:inset-0 focus-visible:after:rounded-lg focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
      >
        {order.order_number}
      </Link>
      <ShopSign url={order.shop_url} />
      <UnreadSign fields={order.unread_fields} />
      <time dateTime={order.created_at} className="block truncate text-[12.5px] text-mute">
        {when(order.created_at, now, language)}
      </time>
    </div>
  );
}

/** One order in the list: columns on one line, below laptop width two or four lines. */
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
      data-new={isNew || undefined}
      className={cn(
        "relative h-full border-b border-line px-4 transition-colors hover:bg-soft/60",
        isSelected && "bg-soft",
        isNew && "bg-linear-to-r from-accent-soft to-60%",
        isCurrent && "shadow-[inset_3px_0_0_var(--accent)]",
        LINES,
        COLUMNS,
      )}
    >
      <SelectCell order={order} isSelected={isSelected} onSelect={onSelect} />
      <div role="cell" className="min-w-0 max-sm:ml-[var(--pull,0px)]">
        <NumberLink order={order} now={now} />
      </div>
      <div
        role="cell"
        className="min-w-0 max-sm:order-1 max-sm:col-span-2 max-sm:col-start-2 max-sm:ml-[var(--pull,0px)]"
      >
        <Customer order={order} />
      </div>
      <div
        role="cell"
        className="max-xl:order-2 max-sm:col-span-2 max-sm:mt-1.5 sm:max-xl:order-3 sm:max-xl:col-start-2"
      >
        <Thumbnails urls={order.thumbnails} count={order.image_count} />
      </div>
      <div
        role="cell"
        className="min-w-0 max-xl:order-4 max-sm:col-span-3 max-sm:mt-1.5 sm:max-xl:col-span-3"
      >
        <Bars order={order} />
      </div>
      <div
        role="cell"
        className="min-w-0 max-sm:order-3 max-sm:mt-1.5 max-sm:max-w-32 max-sm:justify-self-end"
      >
        {order.cancelled_at ? (
          <ShopBadge what="cancelled" short />
        ) : (
          <PaymentBadge status={order.payment_status} />
        )}
      </div>
      <div role="cell" className="max-sm:justify-self-end">
        <StageBadge stage={order.stage} />
        <Work order={order} />
      </div>
    </div>
  );
});
