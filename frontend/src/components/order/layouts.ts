import type { Translate } from "@/i18n/context";
import { LAYOUTS } from "@/lib/bookOptions";

interface Choice {
  value: string;
  text: string;
}

/** The layouts to choose from; also the shop's own word if the item has one. */
export function layoutChoices(current: string | null, t: Translate): Choice[] {
  const known: Choice[] = LAYOUTS.map((value) => ({ value, text: t(`book.layout.${value}`) }));
  const isKnown = current === null || known.some(({ value }) => value === current);
  return isKnown ? known : [...known, { value: current, text: current }];
}
