import type { OrderListItem, OrderPage } from "@/types";

/** The stages in which an order needs a person. */
export const NEEDS = ["attention", "to_review"] as const;
export type Need = (typeof NEEDS)[number];

/** An order that came to a stage in which it needs a person. */
export interface Arrival {
  orderNumber: string;
  customerName: string | null;
  need: Need;
}

function needOf(row: OrderListItem | null): Need | null {
  return NEEDS.find((need) => need === row?.stage) ?? null;
}

/** Since when the orders of a page are all that there are; the empty text: since ever. */
function completeSince(page: OrderPage): string {
  return page.next_cursor === null ? "" : (page.items.at(-1)?.created_at ?? "");
}

/** The orders that need a person, and what came to them. */
export class Arrivals {
  /** Null until the orders that already needed a person are known: these did not just come. */
  #needs: Map<string, Need> | null = null;
  /** Older orders are unknown (ISO time). */
  #since = "";

  /** Replaces what is known by the newest orders of each stage in `NEEDS`; returns those that came since. */
  replace(pages: readonly OrderPage[]): Arrival[] {
    const before = this.#needs;
    const rows = pages.flatMap((page) => page.items);
    this.#since = pages
      .map(completeSince)
      .reduce((latest, time) => (isLater(time, latest) ? time : latest), "");
    this.#needs = new Map();
    return rows.flatMap((row) => {
      const need = needOf(row);
      if (need === null) return [];
      this.#needs?.set(row.order_number, need);
      return before !== null && before.get(row.order_number) !== need ? [arrivalOf(row, need)] : [];
    });
  }

  /** Notes the current row of an order (null: deleted); returns it if it came. */
  note(orderNumber: string, row: OrderListItem | null): Arrival | null {
    if (this.#needs === null) return null;
    const before = this.#needs.get(orderNumber);
    const need = needOf(row);
    if (row === null || need === null) {
      this.#needs.delete(orderNumber);
      return null;
    }
    this.#needs.set(orderNumber, need);
    const isUnknown = before === undefined && isLater(this.#since, row.created_at);
    return before === need || isUnknown ? null : arrivalOf(row, need);
  }
}

/** Whether one time (ISO, with offset) is later than another; the empty text is earlier than any. */
function isLater(one: string, other: string): boolean {
  if (one === "") return false;
  return other === "" || Date.parse(one) > Date.parse(other);
}

function arrivalOf(row: OrderListItem, need: Need): Arrival {
  return { orderNumber: row.order_number, customerName: row.customer_name, need };
}
