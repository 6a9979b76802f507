import { useEffect } from "react";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { useShortcuts } from "@/lib/shortcuts";
import type { Kind } from "./model";

/** What a card lets the keyboard do; the cards register themselves by their image. */
export interface CardCommands {
  generate: (kind: Kind) => void;
  /** Choose the version that stands at `place` (from 1) in its strip. */
  chooseAt: (kind: Kind, place: number) => void;
  view: () => void;
}

export type CardRegister = Map<number, CardCommands>;

const cards = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("article[data-image]")];

/** The card that has the focus, or something in it. */
function current(): HTMLElement | undefined {
  return document.activeElement?.closest<HTMLElement>("article[data-image]") ?? undefined;
}

/** The focused card, else the first one that can be seen. */
function meant(): HTMLElement | undefined {
  return current() ?? cards().find((card) => card.getBoundingClientRect().bottom > innerHeight / 3);
}

function move(by: 1 | -1): void {
  const all = cards();
  const card = current();
  const target = card ? all[all.indexOf(card) + by] : meant();
  target?.focus({ preventScroll: true });
  if (target) bringIntoView(target);
}

/** Smoothly where one can follow; a far card at once, as its way there is still without a height. */
function bringIntoView(card: HTMLElement): void {
  const { top, bottom } = card.getBoundingClientRect();
  const near = bottom > -innerHeight / 2 && top < innerHeight * 1.5;
  card.scrollIntoView({ block: "nearest", behavior: near ? "smooth" : "instant" });
}

const DIGIT = /^(?:Digit|Numpad)([1-9])$/;

/** The page's keys: j, k between cards; c, v, digits and Enter for the card one is at. */
export function useCardKeys(register: CardRegister): void {
  const { t } = useLanguage();
  const at = (act: (card: CardCommands) => void): void => {
    const card = register.get(Number(meant()?.dataset["image"]));
    if (card) act(card);
  };
  const canEdit = useCanEdit();
  const changes = [
    { key: "c", label: t("detail.key.color"), run: () => at((card) => card.generate("coloring")) },
    { key: "v", label: t("detail.key.vectorise"), run: () => at((card) => card.generate("svg")) },
    // Only listed in the help; the keys themselves are read below, by their place on the keyboard.
    { key: "1 – 9", label: t("detail.key.page"), run: () => undefined },
    { key: "Shift 1 – 9", label: t("detail.key.svg"), run: () => undefined },
  ];
  useShortcuts([
    { key: "j", label: t("detail.key.next"), run: () => move(1) },
    { key: "k", label: t("detail.key.previous"), run: () => move(-1) },
    { key: "Enter", label: t("detail.key.view"), run: () => at((card) => card.view()) },
    ...(canEdit ? changes : []),
  ]);
  useDigits(register, canEdit);
}

/** A digit chooses a page, with Shift an SVG. */
function useDigits(register: CardRegister, enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      // By place, as a Czech keyboard types "ě" where another types "2".
      const digit = DIGIT.exec(event.code)?.[1];
      if (!digit || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (
        event.target instanceof Element &&
        event.target.closest("input:not([type=range]), textarea, select, [role=dialog]")
      )
        return;
      event.preventDefault();
      const card = register.get(Number(meant()?.dataset["image"]));
      card?.chooseAt(event.shiftKey ? "svg" : "coloring", Number(digit));
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [register, enabled]);
}
