import { describe, expect, it } from "vitest";
import {
  enlargedCrop,
  frameScale,
  isSameEdit,
  movedCrop,
  NO_EDIT,
  pictureStyle,
  resizedCrop,
  smallestCrop,
  turnedBy,
  turnedSize,
  type Crop,
  type Handle,
  type PhotoEdit,
} from "./photoEdit";

const SIZE = { width: 4000, height: 3000 };
const LEAST = { width: 0.1, height: 0.1 };
const CROP: Crop = { left: 0.2, top: 0.1, width: 0.5, height: 0.3 };
const edit = (change: Partial<PhotoEdit>): PhotoEdit => ({ ...NO_EDIT, ...change });

/** Numbers from 0 to 1, the same in every run. */
function* numbers(): Generator<number, never> {
  for (let seed = 7; ; seed = (seed * 16807) % 2147483647) yield seed / 2147483647;
}

describe("the geometry of an edited photo", () => {
  it("is that of the original again after four quarter turns", () => {
    let turned = edit({ crop: CROP, straighten: 3 });
    for (const direction of ["right", "right", "right", "right"] as const)
      turned = turnedBy(turned, direction);
    expect(isSameEdit(turned, edit({ crop: CROP, straighten: 3 }))).toBe(true);
    expect(isSameEdit(turnedBy(turnedBy(turned, "left"), "right"), turned)).toBe(true);
  });

  it("shows the same part of the photo after a turn", () => {
    const { crop, quarter_turns } = turnedBy(edit({ crop: CROP }), "right");
    expect(quarter_turns).toBe(1);
    // The left edge is on top, the bottom edge on the left.
    expect(crop.left).toBeCloseTo(0.6, 9);
    expect(crop).toEqual({ left: crop.left, top: 0.2, width: 0.3, height: 0.5 });
  });

  it("has a frame that the straightened photo fills", () => {
    expect(frameScale(SIZE, 0)).toBe(1);
    expect(frameScale({ width: 100, height: 100 }, 15)).toBeCloseTo(
      1 / (Math.cos(0.2618) + Math.sin(0.2618)),
      3,
    );
    for (const degrees of [-15, -1, 4, 15]) {
      const scale = frameScale(SIZE, degrees);
      const angle = (degrees * Math.PI) / 180;
      for (const [x, y] of [
        [1, 1],
        [1, -1],
      ] as const) {
        const [across, down] = [(x * scale * SIZE.width) / 2, (y * scale * SIZE.height) / 2];
        expect(Math.abs(across * Math.cos(angle) + down * Math.sin(angle))).toBeLessThanOrEqual(2000.001);
        expect(Math.abs(down * Math.cos(angle) - across * Math.sin(angle))).toBeLessThanOrEqual(1500.001);
      }
    }
  });

  it("is drawn in the size of the frame", () => {
    const turned = edit({ quarter_turns: 1, brightness: 20, contrast: -10 });
    expect(turnedSize(turned, SIZE)).toEqual({ width: 3000, height: 4000 });
    expect(pictureStyle(turned, SIZE, { width: 300, height: 400 })).toEqual({
      width: 400,
      height: 300,
      transform: "translate(-50%, -50%) rotate(90deg)",
      filter: "brightness(1.2) contrast(0.9)",
    });
  });
});

describe("the crop", () => {
  it("stays inside the photo and keeps its size, whatever is dragged wherever", () => {
    const random = numbers();
    const next = (): number => random.next().value;
    const side = (): -1 | 0 | 1 => ([-1, 0, 1] as const)[Math.floor(next() * 3)] ?? 0;
    for (let round = 0; round < 500; round++) {
      let crop: Crop = { left: 0, top: 0, width: 1, height: 1 };
      for (let step = 0; step < 6; step++) {
        const handle: Handle = { x: side(), y: side() };
        const [dx, dy] = [next() * 3 - 1.5, next() * 3 - 1.5];
        crop = step % 2 ? movedCrop(crop, dx, dy) : resizedCrop(crop, handle, dx, dy, LEAST);
        expect(crop.left).toBeGreaterThanOrEqual(0);
        expect(crop.top).toBeGreaterThanOrEqual(0);
        expect(crop.left + crop.width).toBeLessThanOrEqual(1 + 1e-9);
        expect(crop.top + crop.height).toBeLessThanOrEqual(1 + 1e-9);
        expect(crop.width).toBeGreaterThanOrEqual(0.1 - 1e-9);
        expect(crop.height).toBeGreaterThanOrEqual(0.1 - 1e-9);
      }
    }
  });

  it("moves only the sides of its handle", () => {
    expect(resizedCrop(CROP, { x: 1, y: 0 }, 0.1, 0.1, LEAST)).toEqual({ ...CROP, width: 0.6 });
    const topLeft = resizedCrop(CROP, { x: -1, y: -1 }, 0.1, 0.1, LEAST);
    expect(topLeft.left + topLeft.width).toBeCloseTo(0.7, 9);
    expect(topLeft.top + topLeft.height).toBeCloseTo(0.4, 9);
    expect(resizedCrop(CROP, { x: -1, y: 0 }, 9, 0, LEAST).width).toBeCloseTo(0.1, 9);
  });

  it("is as large as the service demands: 64 pixels", () => {
    const small = { width: 128, height: 640 };
    const { width, height } = smallestCrop(NO_EDIT, small);
    expect(Math.round(width * 128)).toBeGreaterThanOrEqual(64);
    expect(height).toBeCloseTo(64.5 / 640, 9);
    const crop = enlargedCrop({ left: 0.9, top: 0, width: 0.1, height: 0.1 }, { width: 0.5, height: 0.1 });
    expect(crop).toEqual({ left: 0.5, top: 0, width: 0.5, height: 0.1 });
  });
});
