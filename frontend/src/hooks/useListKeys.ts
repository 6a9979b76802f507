import { useState } from "react";
import { useNavigate } from "react-router";
import { useLanguage } from "@/i18n/context";
import { useShortcuts } from "@/lib/shortcuts";
import type { OrderListItem } from "@/types";
import { useCanEdit } from "./useSession";

interface Keys {
  orders: readonly OrderListItem[];
  focusSearch: () => void;
  onSelect: (orderNumber: string) => void;
  onClear: () => void;
  /** Generate for the selected orders, or for the order with the keyboard focus (null: none). */
  onGenerate: (kind: "coloring" | "svg", current: string | null) => void;
}

/** The keyboard shortcuts of the list; returns the index of the focused row, -1 for none. */
export function useListKeys({ orders, focusSearch, onSelect, onClear, onGenerate }: Keys): number {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const canEdit = useCanEdit();
  const [focused, setFocused] = useState<string | null>(null);
  const index = orders.findIndex((order) => order.order_number === focused);
  // Actions must not apply to an order that left the list.
  const current = index === -1 ? null : focused;
  const move = (step: number) => {
    const next = Math.min(Math.max(index + step, 0), orders.length - 1);
    setFocused(orders[next]?.order_number ?? null);
  };
  const open = () => current !== null && void navigate(`/orders/${encodeURIComponent(current)}`);
  const changes = [
    { key: "x", label: t("list.key.select"), run: () => current !== null && onSelect(current) },
    { key: "Escape", label: t("list.key.unselect"), run: onClear },
    { key: "c", label: t("list.key.color"), run: () => onGenerate("coloring", current) },
    { key: "v", label: t("list.key.vectorise"), run: () => onGenerate("svg", current) },
  ];
  useShortcuts([
    { key: "/", label: t("list.key.search"), run: focusSearch },
    { key: "j", label: t("list.key.next"), run: () => move(1) },
    { key: "k", label: t("list.key.previous"), run: () => move(-1) },
    { key: "Enter", label: t("list.key.open"), run: open },
    ...(canEdit ? changes : []),
  ]);
  return index;
}
