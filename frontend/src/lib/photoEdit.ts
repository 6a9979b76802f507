/**
 * The parameters of an edited photo and their geometry, the same as the service's (`domain/photo_edit.py`): the
 * photo is turned, then straightened behind a frame of its own proportions, the largest without an empty corner;
 * the crop is a part of that frame.
 */
import type { Size } from "@/components/order/zoom";

/** Fractions of the sides of the frame. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface PhotoEdit {
  /** Clockwise, 0 to 3. */
  quarter_turns: number;
  /** Degrees, clockwise. */
  straighten: number;
  crop: Crop;
  /** Percent, like the CSS filter functions. */
  brightness: number;
  contrast: number;
}

export const MAX_STRAIGHTEN = 15;
export const MAX_TONE = 50;
/** The service refuses photos with a shorter side, in pixels. */
const MIN_SIDE = 64;
const MIN_CROP = 0.02;

export const WHOLE: Crop = { left: 0, top: 0, width: 1, height: 1 };
export const NO_EDIT: PhotoEdit = {
  quarter_turns: 0,
  straighten: 0,
  crop: WHOLE,
  brightness: 0,
  contrast: 0,
};

/** Which sides of the crop a handle moves: -1 left or top, 1 right or bottom, 0 none. */
export interface Handle {
  x: -1 | 0 | 1;
  y: -1 | 0 | 1;
}

export function isSameEdit(one: PhotoEdit, other: PhotoEdit): boolean {
  const values = ({ quarter_turns, straighten, crop, brightness, contrast }: PhotoEdit): number[] => [
    quarter_turns,
    straighten,
    ...[crop.left, crop.top, crop.width, crop.height].map((value) => Math.round(value * 1e6)),
    brightness,
    contrast,
  ];
  const others = values(other);
  return values(one).every((value, index) => value === others[index]);
}

/** Size of the photo after its quarter turns. */
export function turnedSize(edit: PhotoEdit, { width, height }: Size): Size {
  return edit.quarter_turns % 2 === 1 ? { width: height, height: width } : { width, height };
}

/** Size of the largest frame of the same proportions inside a rotated photo, as a fraction of it. */
export function frameScale({ width, height }: Size, degrees: number): number {
  const angle = (degrees * Math.PI) / 180;
  const turn = Math.cos(angle);
  const lean = Math.abs(Math.sin(angle));
  return Math.min(width / (width * turn + height * lean), height / (width * lean + height * turn));
}

/** The edit after another quarter turn; the crop shows the same part of the photo. */
export function turnedBy(edit: PhotoEdit, direction: "left" | "right"): PhotoEdit {
  const { left, top, width, height } = edit.crop;
  const crop =
    direction === "right"
      ? { left: rest(top, height), top: left, width: height, height: width }
      : { left: top, top: rest(left, width), width: height, height: width };
  return { ...edit, quarter_turns: (edit.quarter_turns + (direction === "right" ? 1 : 3)) % 4, crop };
}

const rest = (start: number, extent: number): number => Math.max(0, 1 - start - extent);

/** The smallest crop of a photo that the service takes. */
export function smallestCrop(edit: PhotoEdit, original: Size): Size {
  const full = turnedSize(edit, original);
  const scale = frameScale(full, edit.straighten);
  const least = (side: number): number => Math.min(1, Math.max(MIN_CROP, (MIN_SIDE + 0.5) / (scale * side)));
  return { width: least(full.width), height: least(full.height) };
}

const between = (value: number, least: number, most: number): number =>
  Math.min(Math.max(value, least), Math.max(least, most));

/** The crop moved by fractions of the frame, as far as the frame goes. */
export function movedCrop(crop: Crop, dx: number, dy: number): Crop {
  return {
    ...crop,
    left: between(crop.left + dx, 0, 1 - crop.width),
    top: between(crop.top + dy, 0, 1 - crop.height),
  };
}

/** The crop with the sides of one handle moved by fractions of the frame; it keeps at least the size `least`. */
export function resizedCrop(crop: Crop, handle: Handle, dx: number, dy: number, least: Size): Crop {
  const [left, width] = resized(crop.left, crop.width, handle.x, dx, least.width);
  const [top, height] = resized(crop.top, crop.height, handle.y, dy, least.height);
  return { left, top, width, height };
}

function resized(
  start: number,
  extent: number,
  side: -1 | 0 | 1,
  by: number,
  least: number,
): [number, number] {
  if (side === 0) return [start, extent];
  if (side > 0) return [start, between(extent + by, Math.min(least, 1 - start), 1 - start)];
  const end = start + extent;
  const moved = between(start + by, 0, end - least);
  return [moved, end - moved];
}

/** A crop that is still large enough after the photo was straightened further. */
export function enlargedCrop(crop: Crop, least: Size): Crop {
  const width = Math.max(crop.width, least.width);
  const height = Math.max(crop.height, least.height);
  return movedCrop({ ...crop, width, height }, 0, 0);
}

/** CSS of the original inside a frame that is `frame` pixels large on the screen. */
export function pictureStyle(edit: PhotoEdit, original: Size, frame: Size) {
  const full = turnedSize(edit, original);
  const zoom = frame.width / (frameScale(full, edit.straighten) * full.width);
  const degrees = edit.quarter_turns * 90 + edit.straighten;
  return {
    width: original.width * zoom,
    height: original.height * zoom,
    transform: `translate(-50%, -50%) rotate(${degrees}deg)`,
    filter: `brightness(${1 + edit.brightness / 100}) contrast(${1 + edit.contrast / 100})`,
  };
}
