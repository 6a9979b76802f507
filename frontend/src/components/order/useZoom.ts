import { useState } from "react";
import { panBy, pinch, WHOLE, ZOOM_FACTOR, zoomAt, type Extent, type Point, type Zoom } from "./zoom";

export interface ZoomControl {
  state: Zoom;
  /** Percentage of the picture's own size; undefined until its file is loaded. */
  percent: number | undefined;
  larger: () => void;
  smaller: () => void;
  whole: () => void;
  /** Between the whole picture and its own size. */
  toggle: () => void;
  at: (factor: number, point: Point) => void;
  move: (dx: number, dy: number) => void;
  pinch: (before: [Point, Point], now: [Point, Point]) => void;
  /** Pans with Shift and an arrow key. */
  pan: Record<string, () => void>;
}

const PAN_STEP = 80;
/** Of a double click, and of a picture whose own size is not known. */
const CLOSE_UP = 2.5;

/** Zoom and pan of `subject`, which has this extent; another subject starts unzoomed. */
export function useZoom(subject: string, extent: Extent): ZoomControl {
  const [held, setHeld] = useState({ subject, zoom: WHOLE });
  const state = held.subject === subject ? held.zoom : WHOLE;
  const set = (next: (zoom: Zoom) => Zoom): void =>
    setHeld((before) => ({ subject, zoom: next(before.subject === subject ? before.zoom : WHOLE) }));
  const move = (dx: number, dy: number): void => set((zoom) => panBy(zoom, dx, dy, extent));
  const { actual } = extent;
  return {
    state,
    percent: actual === undefined ? undefined : Math.round((state.scale / actual) * 100),
    larger: () => set((zoom) => zoomAt(zoom, ZOOM_FACTOR, extent)),
    smaller: () => set((zoom) => zoomAt(zoom, 1 / ZOOM_FACTOR, extent)),
    whole: () => set(() => WHOLE),
    toggle: () => set((zoom) => (zoom.scale === 1 ? zoomAt(WHOLE, actual ?? CLOSE_UP, extent) : WHOLE)),
    at: (factor, point) => set((zoom) => zoomAt(zoom, factor, extent, point)),
    move,
    pinch: (before, now) => set((zoom) => pinch(zoom, before, now, extent)),
    pan: {
      ArrowLeft: () => move(PAN_STEP, 0),
      ArrowRight: () => move(-PAN_STEP, 0),
      ArrowUp: () => move(0, PAN_STEP),
      ArrowDown: () => move(0, -PAN_STEP),
    },
  };
}
