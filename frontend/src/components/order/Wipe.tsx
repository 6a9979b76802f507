import { useState, type ReactNode } from "react";
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
  className?: string;
}

/** The photo over its coloring page; a slider (pointer, touch or arrow keys) reveals the page. */
export function Wipe({ photo, page, initial, ground, handleOnly = false, className }: WipeProps) {
  const { t } = useLanguage();
  const [share, setShare] = useState(initial);
  return (
    <div className="relative size-full overflow-hidden has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent">
      {page}
      <div className={cn("absolute inset-0", ground)} style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }}>
        {photo}
      </div>
      <Handle share={share} />
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
        className={cn(
          "absolute inset-0 m-0 size-full cursor-ew-resize opacity-0",
          handleOnly && "wipe-handle",
          className,
        )}
      />
    </div>
  );
}

function Handle({ share }: { share: number }) {
  return (
    <div aria-hidden className="pointer-events-none absolute inset-y-0 w-0" style={{ left: `${share}%` }}>
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
