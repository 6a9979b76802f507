import { useState } from "react";
import { panBy, WHOLE, ZOOM_FACTOR, zoomAt, type Point, type Zoom } from "./zoom";

export interface ZoomControl {
  state: Zoom;
  larger: () => void;
  smaller: () => void;
  whole: () => void;
  at: (factor: number, point: Point) => void;
  move: (dx: number, dy: number) => void;
  /** Pans with Shift and an arrow key. */
  pan: Record<string, () => void>;
}

const PAN_STEP = 80;

/** Zoom and pan of `subject`; another subject starts unzoomed. */
export function useZoom(subject: string): ZoomControl {
  const [held, setHeld] = useState({ subject, zoom: WHOLE });
  const state = held.subject === subject ? held.zoom : WHOLE;
  const set = (next: (zoom: Zoom) => Zoom): void =>
    setHeld((before) => ({ subject, zoom: next(before.subject === subject ? before.zoom : WHOLE) }));
  const move = (dx: number, dy: number): void =>
    set((zoom) => panBy(zoom, dx, dy, { width: innerWidth, height: innerHeight }));
  return {
    state,
    larger: () => set((zoom) => zoomAt(zoom, ZOOM_FACTOR)),
    smaller: () => set((zoom) => zoomAt(zoom, 1 / ZOOM_FACTOR)),
    whole: () => set(() => WHOLE),
    at: (factor, point) => set((zoom) => zoomAt(zoom, factor, point)),
    move,
    pan: {
      ArrowLeft: () => move(PAN_STEP, 0),
      ArrowRight: () => move(-PAN_STEP, 0),
      ArrowUp: () => move(0, PAN_STEP),
      ArrowDown: () => move(0, -PAN_STEP),
    },
  };
}
