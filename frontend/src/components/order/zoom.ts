/** Zoom and pan of the full-screen view; pure functions. Offsets are CSS pixels from the center of the frame. */
export interface Zoom {
  /** Relative to the picture fitted into the frame. */
  scale: number;
  x: number;
  y: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The frame, the picture as it is fitted into it, and the scale at which a picture's pixel is a device's. */
export interface Extent {
  frame: Size;
  picture: Size;
  /** Undefined until the file is loaded. */
  actual: number | undefined;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
export const ZOOM_FACTOR = 1.4;
const MAX_SCALE = 12;
const WHEEL_SPEED = 0.0015;
/** A trackpad's pinch arrives as a wheel with Ctrl, in small steps. */
const PINCH_SPEED = 0.01;
const MAX_PINCH_STEP = 50;
const LINE_PX = 33;

/** The largest size with the proportions of `natural` that fits into `frame`. */
export function fit(natural: Size, frame: Size): Size {
  const ratio = Math.min(frame.width / natural.width, frame.height / natural.height);
  return { width: natural.width * ratio, height: natural.height * ratio };
}

/** `extent` of a picture of `natural` size; before its size is known it counts as large as the frame. */
export function extentOf(frame: Size, natural: Size | undefined, isFull: boolean, density: number): Extent {
  if (!natural || natural.width === 0) return { frame, picture: frame, actual: undefined };
  const picture = fit(natural, frame);
  return { frame, picture, actual: isFull ? natural.width / density / picture.width : undefined };
}

const limit = (value: number, lowest: number, highest: number): number =>
  Math.min(highest, Math.max(lowest, value));

/** An edge of the picture never leaves the frame's edge; a picture smaller than the frame is centered. */
function clamp({ scale, x, y }: Zoom, { frame, picture }: Extent): Zoom {
  const reach = (length: number, room: number): number => Math.max(0, (scale * length - room) / 2);
  const [across, down] = [reach(picture.width, frame.width), reach(picture.height, frame.height)];
  return { scale, x: limit(x, -across, across) + 0, y: limit(y, -down, down) + 0 };
}

/** Scale by `factor`, keeping the point under `point` in place as far as the picture's edges allow. */
export function zoomAt(zoom: Zoom, factor: number, extent: Extent, point: Point = { x: 0, y: 0 }): Zoom {
  const actual = extent.actual ?? 1;
  const scale = limit(zoom.scale * factor, Math.min(1, actual), Math.max(MAX_SCALE, actual));
  const ratio = scale / zoom.scale;
  const moved = { scale, x: point.x - (point.x - zoom.x) * ratio, y: point.y - (point.y - zoom.y) * ratio };
  return clamp(moved, extent);
}

/** Move by `dx`, `dy` as far as the picture's edges allow. */
export function panBy(zoom: Zoom, dx: number, dy: number, extent: Extent): Zoom {
  return clamp({ scale: zoom.scale, x: zoom.x + dx, y: zoom.y + dy }, extent);
}

/** Follow two fingers from `before` to `now`: the points under them stay under them. */
export function pinch(zoom: Zoom, before: [Point, Point], now: [Point, Point], extent: Extent): Zoom {
  const [from, to] = [middle(before), middle(now)];
  const factor = distance(now) / Math.max(1, distance(before));
  return panBy(zoomAt(zoom, factor, extent, from), to.x - from.x, to.y - from.y, extent);
}

type Turn = Pick<WheelEvent, "deltaY" | "deltaMode" | "ctrlKey">;

/** The zoom factor of a turn of the wheel. */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }: Turn): number {
  const pixels = deltaMode === WheelEvent.DOM_DELTA_PIXEL ? deltaY : deltaY * LINE_PX;
  return ctrlKey
    ? Math.exp(-limit(pixels, -MAX_PINCH_STEP, MAX_PINCH_STEP) * PINCH_SPEED)
    : Math.exp(-pixels * WHEEL_SPEED);
}

const distance = ([a, b]: [Point, Point]): number => Math.hypot(a.x - b.x, a.y - b.y);
const middle = ([a, b]: [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
