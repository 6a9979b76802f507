import { describe, expect, it } from "vitest";
import { barsOf, linePoints } from "./bars";

describe("barsOf", () => {
  it("uses one scale for both directions and stays inside the chart", () => {
    const { bars, line } = barsOf([8, 0, 4], [0, 0, 2]);
    expect(line).toBe(0.8);
    expect(bars).toEqual([
      { minute: 0, up: 0.8, down: 0 },
      { minute: 2, up: 0.4, down: 0.2 },
    ]);
  });

  it("does not let a single version fill the chart", () => {
    const [bar] = barsOf([0, 1], [0, 0]).bars;
    expect(bar?.up).toBeLessThan(0.3);
  });
});

describe("linePoints", () => {
  it("runs from left to right with the highest value at the top", () => {
    expect(linePoints([0, 5, 10], 100, 20)).toBe("0.00,20.00 50.00,10.00 100.00,0.00");
  });

  it("is at the bottom while the queue is empty", () => {
    expect(linePoints([0, 0], 100, 20)).toBe("0.00,20.00 100.00,20.00");
  });
});
