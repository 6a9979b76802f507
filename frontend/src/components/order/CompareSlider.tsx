import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { Picture } from "./Picture";

interface CompareSliderProps {
  photo: string;
  page: string;
  photoAlt: string;
  pageAlt: string;
  /** Initial percentage of the width that shows the photo. */
  initial?: number;
  small?: boolean;
}

/** The photo over its coloring page; a slider (pointer, touch or arrow keys) reveals the page. */
export function CompareSlider({
  photo,
  page,
  photoAlt,
  pageAlt,
  initial = 100,
  small = false,
}: CompareSliderProps) {
  const { t } = useLanguage();
  const [share, setShare] = useState(initial);
  return (
    <div className="relative size-full overflow-hidden bg-white has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent">
      <Picture src={page} alt={pageAlt} small={small} />
      <div className="absolute inset-0 bg-white" style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }}>
        <Picture src={photo} alt={photoAlt} small={small} />
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
        className="absolute inset-0 m-0 size-full cursor-ew-resize touch-pan-y opacity-0"
      />
    </div>
  );
}

/** The handle; its size does not depend on the zoom. */
function Handle({ share }: { share: number }) {
  return (
    <div aria-hidden className="pointer-events-none absolute inset-y-0 w-0" style={{ left: `${share}%` }}>
      <div className="absolute inset-y-0 -left-px w-0.5 scale-x-[calc(1/var(--zoom,1))] bg-accent shadow-[0_0_0_1px_rgb(255_255_255/0.6)]" />
      <div
        className="absolute top-1/2 grid size-8 -translate-y-1/2 scale-[calc(1/var(--zoom,1))] place-items-center rounded-full bg-accent text-white shadow-float dark:text-[#1d1b18]"
        style={{ left: `${-32 * (share / 100)}px` }}
      >
        <svg viewBox="0 0 24 24" className="size-4" fill="none" stroke="currentColor" strokeWidth="2.2">
          <path d="M9 7l-5 5 5 5M15 7l5 5-5 5" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
      </div>
    </div>
  );
}
