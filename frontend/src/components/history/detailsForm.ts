/** What operators write about an order, as a form has it; pure functions. */
import type { DetailsPatch, OrderDetails } from "@/lib/historyApi";

export const DETAIL_FIELDS = ["customer_name", "assignee", "note"] as const;
export type DetailField = (typeof DETAIL_FIELDS)[number];
export type DetailTexts = Record<DetailField, string>;

/** Limits of the API. */
export const NAME_LENGTH = 200;
export const NOTE_LENGTH = 2000;

export function textsOf(state: OrderDetails): DetailTexts {
  return { customer_name: state.customer_name ?? "", assignee: state.assignee ?? "", note: state.note ?? "" };
}

/** The fields in which `other` differs, with its texts. */
export function differences(one: DetailTexts, other: DetailTexts): Partial<DetailTexts> {
  return Object.fromEntries(
    DETAIL_FIELDS.filter((field) => one[field] !== other[field]).map((field) => [field, other[field]]),
  );
}

/** Fields to which two persons gave different texts, with those of the other one. */
export function collisions(theirs: Partial<DetailTexts>, own: Partial<DetailTexts>): Partial<DetailTexts> {
  const found: Partial<DetailTexts> = {};
  for (const field of DETAIL_FIELDS) {
    const [text, mine] = [theirs[field], own[field]];
    if (text !== undefined && mine !== undefined && text !== mine) found[field] = text;
  }
  return found;
}

/** The changes to send; an emptied field is cleared. */
export function patchOf(changed: Partial<DetailTexts>): DetailsPatch {
  const patch: DetailsPatch = {};
  for (const field of DETAIL_FIELDS) {
    const text = changed[field];
    if (text !== undefined) patch[field] = text.trim() || null;
  }
  return patch;
}
