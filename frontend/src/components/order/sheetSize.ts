import { useState } from "react";

/** Sizes of the sheets of an order, the largest first. */
export const SHEET_SIZES = ["large", "medium", "small"] as const;

export type SheetSize = (typeof SHEET_SIZES)[number];

const STORED = "pastelka.sheets";

const recall = (): SheetSize => SHEET_SIZES.find((size) => size === localStorage.getItem(STORED)) ?? "medium";

/** The size of the sheets, stored in the browser for all orders. */
export function useSheetSize(): [SheetSize, (size: SheetSize) => void] {
  const [size, setSize] = useState(recall);
  const choose = (next: SheetSize): void => {
    setSize(next);
    localStorage.setItem(STORED, next);
  };
  return [size, choose];
}
