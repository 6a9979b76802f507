import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import type { Size } from "@/components/order/zoom";
import type { TextKey } from "@/i18n/catalogue";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { movedCrop, resizedCrop, type Crop, type Handle } from "@/lib/photoEdit";

interface CropFrameProps {
  crop: Crop;
  /** Of the frame on the screen, in pixels. */
  frame: Size;
  /** Smallest width and height of the crop, as fractions. */
  least: Size;
  onChange: (crop: Crop) => void;
}

interface Grip extends Handle {
  label: TextKey;
  place: string;
  cursor: string;
}

const GRIPS: readonly Grip[] = [
  { x: 0, y: -1, label: "photo.crop.top", place: "left-1/2 top-0", cursor: "cursor-ns-resize" },
  { x: 0, y: 1, label: "photo.crop.bottom", place: "left-1/2 top-full", cursor: "cursor-ns-resize" },
  { x: -1, y: 0, label: "photo.crop.left", place: "left-0 top-1/2", cursor: "cursor-ew-resize" },
  { x: 1, y: 0, label: "photo.crop.right", place: "left-full top-1/2", cursor: "cursor-ew-resize" },
  { x: -1, y: -1, label: "photo.crop.topLeft", place: "left-0 top-0", cursor: "cursor-nwse-resize" },
  { x: 1, y: -1, label: "photo.crop.topRight", place: "left-full top-0", cursor: "cursor-nesw-resize" },
  { x: -1, y: 1, label: "photo.crop.bottomLeft", place: "left-0 top-full", cursor: "cursor-nesw-resize" },
  { x: 1, y: 1, label: "photo.crop.bottomRight", place: "left-full top-full", cursor: "cursor-nwse-resize" },
];

/** Steps of the arrow keys, as fractions of the frame. */
const STEP = 0.01;
const LARGE_STEP = 0.1;
const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const percent = (value: number): string => `${value * 100}%`;

/** The crop over the photo: its sides and corners move by pointer, touch or arrow keys, and so does the whole. */
export function CropFrame({ crop, frame, least, onChange }: CropFrameProps) {
  const { t } = useLanguage();
  const shown = t("photo.crop.value", {
    width: Math.round(crop.width * 100),
    height: Math.round(crop.height * 100),
  });
  const dragOf = useDrag(frame);
  const { left, top, width, height } = crop;
  return (
    <div
      data-crop
      className="absolute outline-1 outline-white/90"
      style={{ left: percent(left), top: percent(top), width: percent(width), height: percent(height) }}
    >
      <Thirds />
      <button
        type="button"
        aria-label={`${t("photo.crop.move")}, ${shown}`}
        className="absolute inset-0 cursor-move touch-none focus-visible:-outline-offset-4"
        {...dragOf(crop, (from, dx, dy) => onChange(movedCrop(from, dx, dy)))}
      />
      {GRIPS.map((grip) => (
        <button
          key={grip.label}
          type="button"
          aria-label={`${t(grip.label)}, ${shown}`}
          data-grip={`${grip.x},${grip.y}`}
          className={cn(
            "absolute grid size-8 -translate-1/2 touch-none place-items-center rounded-full",
            grip.place,
            grip.cursor,
          )}
          {...dragOf(crop, (from, dx, dy) => onChange(resizedCrop(from, grip, dx, dy, least)))}
        >
          <span aria-hidden className="size-3.5 rounded-full border-2 border-[#1d1b18] bg-white" />
        </button>
      ))}
    </div>
  );
}

/** Lines at the thirds, to straighten the horizon by. */
function Thirds() {
  return (
    <div aria-hidden className="pointer-events-none absolute inset-0">
      <div className="absolute inset-x-0 top-1/3 bottom-1/3 border-y border-white/35" />
      <div className="absolute inset-y-0 right-1/3 left-1/3 border-x border-white/35" />
    </div>
  );
}

type Act = (from: Crop, dx: number, dy: number) => void;

/** Handlers of a part that is dragged: the crop follows from where the drag began, so that no limit is felt late. */
function useDrag(frame: Size) {
  const drag = useRef<{ pointer: number; x: number; y: number; from: Crop }>(undefined);
  return (crop: Crop, act: Act) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0 || drag.current) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      drag.current = { pointer: event.pointerId, x: event.clientX, y: event.clientY, from: crop };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const begun = drag.current;
      if (begun?.pointer !== event.pointerId) return;
      act(begun.from, (event.clientX - begun.x) / frame.width, (event.clientY - begun.y) / frame.height);
    },
    onPointerUp: () => (drag.current = undefined),
    onPointerCancel: () => (drag.current = undefined),
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const step = event.shiftKey ? LARGE_STEP : STEP;
      act(crop, arrow[0] * step, arrow[1] * step);
    },
  });
}
