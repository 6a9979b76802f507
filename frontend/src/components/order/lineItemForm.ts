/** What can be changed of a line item, as a form has it; pure functions. */
import type { LineItemPatch } from "@/lib/bookApi";

export const ITEM_FIELDS = ["title", "quantity", "dedication", "layout"] as const;
export type ItemField = (typeof ITEM_FIELDS)[number];
export type ItemTexts = Record<ItemField, string>;

interface ItemValues {
  title: string;
  quantity: number | string;
  dedication: string | null;
  layout: string | null;
}

/** Limits of the API. */
export const TITLE_LENGTH = 200;
export const DEDICATION_LENGTH = 2000;
export const MAX_COPIES = 999;

/** The values as texts; no layout is `auto`. */
export function textsOf({ title, quantity, dedication, layout }: ItemValues): ItemTexts {
  return { title, quantity: String(quantity), dedication: dedication ?? "", layout: layout ?? "auto" };
}

/** The fields in which `other` differs, with its values. */
export function differences(one: ItemValues, other: ItemValues): Partial<ItemTexts> {
  const [before, after] = [textsOf(one), textsOf(other)];
  return Object.fromEntries(
    ITEM_FIELDS.filter((field) => before[field] !== after[field]).map((field) => [field, after[field]]),
  );
}

/** The fields that are not valid. */
export function invalidFields({ title, quantity }: ItemTexts): ItemField[] {
  const copies = Number(quantity);
  const isCount = /^\d+$/.test(quantity.trim()) && copies >= 1 && copies <= MAX_COPIES;
  return [...(title.trim() === "" ? (["title"] as const) : []), ...(isCount ? [] : (["quantity"] as const))];
}

/** The changes to send. */
export function patchOf(texts: ItemTexts, read: ItemValues): LineItemPatch {
  const changed = differences(read, texts);
  return {
    ...(changed.title !== undefined && { title: changed.title.trim() }),
    ...(changed.quantity !== undefined && { quantity: Number(changed.quantity) }),
    ...(changed.dedication !== undefined && { dedication: changed.dedication.trim() || null }),
    ...(changed.layout !== undefined && { layout: changed.layout === "auto" ? null : changed.layout }),
  };
}
