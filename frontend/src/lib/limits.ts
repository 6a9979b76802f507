/** Limits of the API; `limits.test.ts` compares them with its document. */

/** Orders whose books become one PDF, or whose files one ZIP. */
export const MAX_JOINED = 100;
/** Orders whose cost is estimated at once, and so the orders that can be selected. */
export const MAX_SELECTED = 1000;
/** Characters of why a page was sent back, or an order is on hold. */
export const MAX_REASON = 500;
