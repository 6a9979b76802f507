/** Zoom and pan of the full-screen view; pure functions. Offsets are pixels from the center of the frame. */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export interface Point {
  x: number;
  y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
export const ZOOM_FACTOR = 1.4;
const MAX_SCALE = 12;

/** Scale by `factor`, keeping the point under `point` in place. */
export function zoomAt(zoom: Zoom, factor: number, point: Point = { x: 0, y: 0 }): Zoom {
  const scale = Math.min(MAX_SCALE, Math.max(1, zoom.scale * factor));
  if (scale === 1) return WHOLE;
  const ratio = scale / zoom.scale;
  return { scale, x: point.x - (point.x - zoom.x) * ratio, y: point.y - (point.y - zoom.y) * ratio };
}

/** Move by `dx`, `dy`, limited so that the picture stays inside the frame. */
export function panBy(zoom: Zoom, dx: number, dy: number, frame: { width: number; height: number }): Zoom {
  const reach = (length: number): number => ((zoom.scale - 1) * length) / 2;
  const within = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));
  return {
    scale: zoom.scale,
    x: within(zoom.x + dx, reach(frame.width)),
    y: within(zoom.y + dy, reach(frame.height)),
  };
}
