import { useLayoutEffect, useRef } from "react";
import type { TextKey } from "@/i18n/catalogue";
import { useLanguage } from "@/i18n/context";
import { useShortcuts, type Shortcut } from "@/lib/shortcuts";

export interface ReviewCommands {
  approve: () => void;
  sendBack: () => void;
  undo: () => void;
  /** Make another candidate by a preset. */
  make: (preset: ReviewPreset) => void;
  /** Pick the candidate at `place`, from 1. */
  pick: (place: number) => void;
  step: (by: 1 | -1) => void;
  turn: (by: 1 | -1) => void;
  leave: () => void;
  zoom: { larger: () => void; smaller: () => void; whole: () => void; toggle: () => void };
  pan: Record<string, () => void>;
}

/** The presets that have a key; those are offered that the API lists. */
export const REVIEW_PRESETS = [
  { key: "q", preset: "quick" },
  { key: "f", preset: "fine" },
  { key: "b", preset: "best" },
] as const;

export type ReviewPreset = (typeof REVIEW_PRESETS)[number]["preset"];

/** Keys by their position: a Czech keyboard types other characters there. */
function positional(
  commands: ReviewCommands,
  canEdit: boolean,
  event: KeyboardEvent,
): (() => void) | undefined {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  if (digit && !event.shiftKey) return canEdit ? () => commands.pick(Number(digit)) : undefined;
  if (event.shiftKey && commands.pan[event.key]) return commands.pan[event.key];
  const others: Record<string, () => void> = {
    BracketLeft: () => commands.turn(-1),
    BracketRight: () => commands.turn(1),
    ArrowLeft: () => commands.step(-1),
    ArrowRight: () => commands.step(1),
  };
  return others[event.code];
}

function usePositionalKeys(commands: ReviewCommands, canEdit: boolean): void {
  const current = useRef({ commands, canEdit });
  useLayoutEffect(() => {
    current.current = { commands, canEdit };
  });
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest("input, textarea, select, [role=dialog]"))
        return;
      const act = positional(current.current.commands, current.current.canEdit, event);
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

/** The keys of the review; a viewer has those that change nothing. */
export function useReviewKeys(
  commands: ReviewCommands,
  presets: readonly ReviewPreset[],
  canEdit: boolean,
): void {
  const { t } = useLanguage();
  // A key that is held down must not decide about pictures that were not looked at, or pay twice.
  const once = (act: () => void) => (event: KeyboardEvent) => {
    if (!event.repeat) act();
  };
  const listed = (key: string, label: TextKey): Shortcut => ({ key, label: t(label) });
  const changes: Shortcut[] = [
    { key: "Enter", label: t("review.key.go"), run: once(commands.approve) },
    { key: "x", label: t("review.sendBack"), run: once(commands.sendBack) },
    listed("1 – 9", "review.key.pick"),
    ...REVIEW_PRESETS.filter(({ preset }) => presets.includes(preset)).map(({ key, preset }) => ({
      key,
      label: t("review.make", { preset: t(`detail.preset.${preset}`) }),
      run: once(() => commands.make(preset)),
    })),
    { key: "u", label: t("review.undo"), run: once(commands.undo) },
  ];
  useShortcuts([
    ...(canEdit ? changes : []),
    listed("← →", "review.key.step"),
    listed("[ ]", "review.key.turn"),
    { key: "+", label: t("detail.zoom.in"), run: commands.zoom.larger },
    { key: "-", label: t("detail.zoom.out"), run: commands.zoom.smaller },
    { key: "0", label: t("viewer.key.whole"), run: commands.zoom.whole },
    { key: "z", label: t("review.key.zoom"), run: commands.zoom.toggle },
    listed("Shift ← → ↑ ↓", "viewer.key.pan"),
    { key: "Escape", label: t("review.key.leave"), run: commands.leave },
  ]);
  usePositionalKeys(commands, canEdit);
}
