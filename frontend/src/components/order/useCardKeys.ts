import { useLayoutEffect } from "react";
import { useCanEdit } from "@/hooks/useSession";
import type { TextKey } from "@/i18n/catalogue";
import { useLanguage, type Translate } from "@/i18n/context";
import { useShortcuts, type Shortcut } from "@/lib/shortcuts";
import { showToast } from "@/lib/toasts";
import type { Kind } from "./model";

/** The actions of a card for the keyboard; each card registers itself by its image. */
export interface CardCommands {
  generate: (kind: Kind) => void;
  /** Choose the version at `place` (from 1) in its strip. */
  chooseAt: (kind: Kind, place: number) => void;
  view: () => void;
  /** Approve the chosen page. */
  approve: () => void;
  /** Open the editor of the photo. */
  edit: () => void;
}

export type CardRegister = Map<number, CardCommands>;

const cards = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("article[data-image]")];

/** The card that has or contains the focus. */
function current(): HTMLElement | undefined {
  return document.activeElement?.closest<HTMLElement>("article[data-image]") ?? undefined;
}

/** The first visible card, where moving between cards starts. */
function firstVisible(): HTMLElement | undefined {
  return cards().find((card) => card.getBoundingClientRect().bottom > innerHeight / 3);
}

function move(by: 1 | -1): void {
  const all = cards();
  const card = current();
  const target = card ? all[all.indexOf(card) + by] : firstVisible();
  target?.focus({ preventScroll: true });
  if (target) bringIntoView(target);
}

/** Scrolls smoothly to near cards, instantly to far ones: cards between them have no layout yet. */
function bringIntoView(card: HTMLElement): void {
  const { top, bottom } = card.getBoundingClientRect();
  const near = bottom > -innerHeight / 2 && top < innerHeight * 1.5;
  card.scrollIntoView({ block: "nearest", behavior: near ? "smooth" : "instant" });
}

const DIGIT = /^(?:Digit|Numpad)([1-9])$/;

/** The page's keys: j, k between cards; c, v, digits and Enter for the current card. */
export function useCardKeys(register: CardRegister): void {
  const { t } = useLanguage();
  const commandsOf = (card: HTMLElement | undefined) => register.get(Number(card?.dataset["image"]));
  const at = (act: (card: CardCommands) => void): void => {
    const card = commandsOf(current());
    // Work costs money: it starts only on a card that the user has chosen.
    if (card) act(card);
    else showToast(t("detail.chooseFirst"));
  };
  const canEdit = useCanEdit();
  const changes = [
    { key: "c", label: t("detail.key.color"), run: () => at((card) => card.generate("coloring")) },
    { key: "v", label: t("detail.key.vectorise"), run: () => at((card) => card.generate("svg")) },
    { key: "a", label: t("review.key.approve"), run: () => at((card) => card.approve()) },
    { key: "e", label: t("photo.edit"), run: () => at((card) => card.edit()) },
    // The handler below reads the keys by their position (`event.code`).
    { key: "1 – 9", label: t("detail.key.page") },
    { key: "Shift 1 – 9", label: t("detail.key.svg") },
  ];
  useShortcuts([
    { key: "j", label: t("detail.key.next"), run: () => move(1) },
    { key: "k", label: t("detail.key.previous"), run: () => move(-1) },
    { key: "Enter", label: t("detail.key.view"), run: () => commandsOf(current() ?? firstVisible())?.view() },
    ...(canEdit ? changes : []),
    ...listed(VIEWER_KEYS, "viewer.keys", t),
    ...(canEdit ? listed(EDITOR_KEYS, "photo.keys", t) : []),
  ]);
  useDigits(register, canEdit);
}

/** Keys that the help lists, and that the full-screen viewer and the editor of photos handle themselves. */
const VIEWER_KEYS: readonly [string, TextKey][] = [
  ["1 – 4", "viewer.key.views"],
  ["← →", "viewer.key.turn"],
  ["+ −", "viewer.key.zoom"],
  ["0", "viewer.key.whole"],
  ["z", "viewer.key.actual"],
  ["Shift ← → ↑ ↓", "viewer.key.pan"],
  ["a c v", "viewer.key.work"],
  ["Esc", "viewer.key.close"],
];
const EDITOR_KEYS: readonly [string, TextKey][] = [
  ["l r", "photo.key.turn"],
  ["← → ↑ ↓", "photo.key.crop"],
  ["Shift ← → ↑ ↓", "photo.key.cropFar"],
  ["0", "photo.key.reset"],
  ["s", "photo.key.save"],
  ["Esc", "photo.key.close"],
];

function listed(keys: readonly [string, TextKey][], section: TextKey, t: Translate): Shortcut[] {
  return keys.map(([key, label]) => ({ key, label: t(label), section: t(section) }));
}

/** A digit chooses a page, with Shift an SVG. */
function useDigits(register: CardRegister, enabled: boolean): void {
  useLayoutEffect(() => {
    if (!enabled) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      // By position: a Czech keyboard types "ě" where others type "2".
      const digit = DIGIT.exec(event.code)?.[1];
      if (!digit || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (
        event.target instanceof Element &&
        event.target.closest("input:not([type=range]), textarea, select, [role=dialog]")
      )
        return;
      event.preventDefault();
      const card = register.get(Number(current()?.dataset["image"]));
      card?.chooseAt(event.shiftKey ? "svg" : "coloring", Number(digit));
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [register, enabled]);
}
