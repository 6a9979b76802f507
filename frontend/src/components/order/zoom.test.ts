import { describe, expect, it } from "vitest";
import { extentOf, panBy, pinch, wheelFactor, WHOLE, zoomAt, type Extent, type Zoom } from "./zoom";

const FRAME = { width: 800, height: 600 };
/** A portrait picture: 450 of the frame's 800 pixels wide. */
const PORTRAIT = extentOf(FRAME, { width: 1500, height: 2000 }, true, 1);
const SMALL = extentOf(FRAME, { width: 400, height: 300 }, true, 1);

/** Distances of the picture's edges from the frame's: a positive one is a gap. */
function gaps({ scale, x, y }: Zoom, { frame, picture }: Extent) {
  const across = (frame.width - picture.width * scale) / 2;
  const down = (frame.height - picture.height * scale) / 2;
  return { left: across + x, right: across - x, top: down + y, bottom: down - y };
}

describe("zoom", () => {
  it("keeps the point under the pointer in place", () => {
    const wide = extentOf(FRAME, { width: 800, height: 600 }, true, 1);
    const zoom = zoomAt(WHOLE, 2, wide, { x: 100, y: -50 });
    // The point p of the picture is at x + p * scale on screen.
    expect(zoom.x + 100 * zoom.scale).toBe(100);
    expect(zoom.y - 50 * zoom.scale).toBe(-50);
  });

  it("leaves no gap at an edge when zooming out at the far corner", () => {
    const corner = panBy(zoomAt(WHOLE, 8, PORTRAIT), -9999, -9999, PORTRAIT);
    const zoom = zoomAt(corner, 0.3, PORTRAIT, { x: -400, y: -300 });
    for (const gap of Object.values(gaps(zoom, PORTRAIT))) expect(gap).toBeLessThanOrEqual(0);
    expect(zoomAt(corner, 0.01, PORTRAIT, { x: -400, y: -300 })).toMatchObject({ x: 0, y: 0 });
  });

  it("moves a picture no farther than its own edges, and not across while it is narrower than the frame", () => {
    expect(panBy({ scale: 1.5, x: 0, y: 0 }, 500, 5000, PORTRAIT)).toEqual({ scale: 1.5, x: 0, y: 150 });
    expect(panBy(WHOLE, 50, 50, PORTRAIT)).toEqual(WHOLE);
  });

  it("counts 100 % as a pixel of the picture for a pixel of the screen", () => {
    expect(PORTRAIT.actual).toBeCloseTo(1500 / 450);
    expect(extentOf(FRAME, { width: 1500, height: 2000 }, true, 2).actual).toBeCloseTo(1500 / 900);
    // A picture smaller than the frame can be shown in its own size.
    expect(zoomAt(WHOLE, 0.5, SMALL).scale).toBe(0.5);
    expect(zoomAt(WHOLE, 0.1, SMALL).scale).toBe(0.5);
  });

  it("follows two fingers", () => {
    const before: [{ x: number; y: number }, { x: number; y: number }] = [
      { x: -50, y: 0 },
      { x: 50, y: 0 },
    ];
    const zoom = pinch(
      WHOLE,
      before,
      [
        { x: -100, y: 20 },
        { x: 100, y: 20 },
      ],
      SMALL,
    );
    expect(zoom).toEqual({ scale: 2, x: 0, y: 20 });
  });

  it("zooms by the wheel, and by a trackpad's pinch in small steps", () => {
    const turn = (deltaY: number, ctrlKey = false, deltaMode = 0) =>
      wheelFactor({ deltaY, ctrlKey, deltaMode });
    expect(turn(-100)).toBeCloseTo(1.16, 2);
    expect(turn(-3, false, 1)).toBeCloseTo(turn(-99));
    expect(turn(-4, true)).toBeCloseTo(1.04, 2);
    expect(turn(-1000, true)).toBeLessThan(1.7);
  });
});
