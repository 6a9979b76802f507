import { useRef, useState, type MouseEvent, type PointerEvent, type ReactNode } from "react";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";

interface WipeProps {
  photo: ReactNode;
  page: ReactNode;
  /** Initial percentage of the width that shows the photo. */
  initial: number;
  /** What the photo covers the page with where it is smaller than it. */
  ground: string;
  /** Only the handle moves the wipe: the rest is free for dragging the pictures. */
  handleOnly?: boolean;
  /** Called by a click of the mouse; then the mouse moves the wipe without a press, too, and ends it by leaving. */
  onOpen?: () => void;
  className?: string;
}

/** Movement of a press, in pixels, up to which it is a click. */
const CLICK = 4;

/** The photo over its coloring page; a slider (pointer, touch or arrow keys) reveals the page. */
export function Wipe({ photo, page, initial, ground, handleOnly = false, onOpen, className }: WipeProps) {
  const { t } = useLanguage();
  const [share, setShare] = useState(initial);
  const hover = useHover(setShare, initial, onOpen);
  return (
    <div className="group/wipe relative size-full overflow-hidden has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent">
      {page}
      <div className={cn("absolute inset-0", ground)} style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }}>
        {photo}
      </div>
      <Handle share={share} isQuiet={onOpen !== undefined} />
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={share}
        onChange={(event) => setShare(event.target.valueAsNumber)}
        // The focused slider takes the keys; after a drag the card's shortcuts should work again.
        onPointerUp={(event) =>
          event.currentTarget.closest<HTMLElement>("[data-screen], article")?.focus({ preventScroll: true })
        }
        aria-label={t("detail.wipe.label")}
        aria-valuetext={t("detail.wipe.value", { share })}
        {...(onOpen && hover)}
        className={cn(
          "absolute inset-0 m-0 size-full opacity-0",
          onOpen ? "cursor-zoom-in" : "cursor-ew-resize",
          handleOnly && "wipe-handle",
          className,
        )}
      />
    </div>
  );
}

/** Handlers of a wipe that follows the mouse. A finger and a pen drag it, as everywhere. */
function useHover(setShare: (share: number) => void, initial: number, onOpen: (() => void) | undefined) {
  const pressedAt = useRef<number>(undefined);
  return {
    onPointerDown: (event: PointerEvent<HTMLInputElement>) => {
      pressedAt.current = event.pointerType === "mouse" ? event.clientX : undefined;
    },
    onPointerMove: (event: PointerEvent<HTMLInputElement>) => {
      if (event.pointerType !== "mouse" || event.buttons !== 0) return;
      const { left, width } = event.currentTarget.getBoundingClientRect();
      setShare(Math.round(Math.min(Math.max((event.clientX - left) / width, 0), 1) * 100));
    },
    onPointerLeave: (event: PointerEvent<HTMLInputElement>) => {
      if (event.pointerType === "mouse") setShare(initial);
    },
    onClick: (event: MouseEvent<HTMLInputElement>) => {
      const moved = Math.abs(event.clientX - (pressedAt.current ?? Infinity));
      if (moved <= CLICK) onOpen?.();
    },
  };
}

/** `isQuiet`: only while the wipe is used; a touch screen, which cannot hover, always shows it. */
function Handle({ share, isQuiet }: { share: number; isQuiet: boolean }) {
  return (
    <div
      aria-hidden
      className={cn(
        "pointer-events-none absolute inset-y-0 w-0",
        isQuiet &&
          "opacity-0 group-hover/wipe:opacity-100 group-has-focus-visible/wipe:opacity-100 pointer-coarse:opacity-100",
      )}
      style={{ left: `${share}%` }}
    >
      <div className="absolute inset-y-0 -left-px w-0.5 bg-accent shadow-[0_0_0_1px_rgb(255_255_255/0.6)]" />
      <div
        className="absolute top-1/2 grid size-8 -translate-y-1/2 place-items-center rounded-full bg-accent text-white shadow-float dark:text-[#1d1b18]"
        style={{ left: `${-32 * (share / 100)}px` }}
      >
        <svg viewBox="0 0 24 24" className="size-4" fill="none" stroke="currentColor" strokeWidth="2.2">
          <path d="M9 7l-5 5 5 5M15 7l5 5-5 5" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
      </div>
    </div>
  );
}
