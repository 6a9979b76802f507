import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useMediaQuery } from "@/hooks/useMediaQuery";
import { useNow } from "@/hooks/useNow";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { OrderListItem } from "@/types";
import { COLUMNS, OrderRow } from "./OrderRow";

/** Row heights by width: one line, two lines, four lines. The skeleton uses the same. */
const ROW_HEIGHT = { wide: 64, middle: 124, narrow: 172 } as const;
const OVERSCAN = 8;
/** The next page is requested when this many rows are left. */
const AHEAD = 30;

interface OrderTableProps {
  orders: readonly OrderListItem[];
  /** Index of the row with the keyboard focus, -1 for none. */
  current: number;
  selected: ReadonlySet<string>;
  onSelect: (orderNumber: string, isRange: boolean) => void;
  onSelectAll: () => void;
  onNearEnd: () => void;
}

function useRowHeight(): number {
  const isWide = useMediaQuery("(min-width: 80rem)");
  const isMiddle = useMediaQuery("(min-width: 40rem)");
  return ROW_HEIGHT[isWide ? "wide" : isMiddle ? "middle" : "narrow"];
}

function SelectAll({ checked, onChange }: { checked: boolean; onChange: () => void }) {
  const { t } = useLanguage();
  return (
    <div role="columnheader">
      <label className="flex items-center gap-3">
        <input
          type="checkbox"
          checked={checked}
          onChange={onChange}
          aria-label={t("list.selectAll")}
          className="mx-0.5 size-4 shrink-0 accent-(--ink)"
        />
        <span className="xl:hidden">{t("list.selectAllShort")}</span>
      </label>
    </div>
  );
}

function Heads({ allSelected, onSelectAll }: { allSelected: boolean; onSelectAll: () => void }) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const names = ["order", "customer", "photos", "progress", "payment", "status"] as const;
  return (
    <div
      role="rowgroup"
      className={cn(
        "sticky top-14 z-20 rounded-t-[14px] border-b border-line bg-card",
        // Below laptop width the header has only the checkbox that selects all.
        !canEdit && "max-xl:hidden",
      )}
    >
      <div role="row" className={cn(COLUMNS, "flex h-10 items-center px-4 text-xs font-medium text-mute")}>
        {canEdit ? <SelectAll checked={allSelected} onChange={onSelectAll} /> : <span aria-hidden />}
        {names.map((name) => (
          <div key={name} role="columnheader" className="max-xl:hidden">
            {t(`list.column.${name}`)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The highest id when the list was first shown; orders with a higher one arrived later. */
function useFirstSeen(orders: readonly OrderListItem[]): number {
  const [first] = useState(() => orders.reduce((highest, order) => Math.max(highest, order.id), 0));
  return first;
}

/** The orders as a virtualized list that scrolls with the window. */
export function OrderTable({ orders, current, selected, onSelect, onSelectAll, onNearEnd }: OrderTableProps) {
  const { t } = useLanguage();
  const now = useNow();
  const canEdit = useCanEdit();
  const firstSeen = useFirstSeen(orders);
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  const height = useRowHeight();
  useLayoutEffect(() => setOffset(body.current?.offsetTop ?? 0), [height]);

  const virtualizer = useWindowVirtualizer({
    count: orders.length,
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: offset,
    scrollPaddingStart: 104,
    scrollPaddingEnd: 16,
    getItemKey: (index) => orders[index]?.order_number ?? index,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= orders.length - AHEAD) onNearEnd();
  }, [last, orders.length, onNearEnd]);
  useEffect(() => {
    if (current >= 0) virtualizer.scrollToIndex(current);
  }, [current, virtualizer]);

  return (
    <div
      role="table"
      aria-label={t("list.title")}
      aria-rowcount={orders.length + 1}
      className={cn(
        "rounded-[14px] border border-line bg-card shadow-card",
        !canEdit && "[--box:0px] [--pull:-0.75rem]",
      )}
    >
      <Heads allSelected={selected.size > 0 && selected.size === orders.length} onSelectAll={onSelectAll} />
      <div
        ref={body}
        role="rowgroup"
        className="relative overflow-clip rounded-b-[13px]"
        style={{ height: virtualizer.getTotalSize() }}
      >
        {rows.map(({ index, key, start }) => {
          const order = orders[index];
          if (!order) return null;
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              className="absolute inset-x-0 top-0 transition-transform duration-300 ease-out"
              style={{ height, transform: `translateY(${start - offset}px)` }}
            >
              <OrderRow
                order={order}
                now={now}
                isNew={order.id > firstSeen}
                isCurrent={index === current}
                isSelected={selected.has(order.order_number)}
                onSelect={onSelect}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
