import { describe, expect, it } from "vitest";
import { barsOf, linePoints } from "./bars";

describe("barsOf", () => {
  it("draws both directions to one scale, within the drawing", () => {
    const { bars, line } = barsOf([8, 0, 4], [0, 0, 2]);
    expect(line).toBe(0.8);
    expect(bars).toEqual([
      { minute: 0, up: 0.8, down: 0 },
      { minute: 2, up: 0.4, down: 0.2 },
    ]);
  });

  it("does not make a single one fill the drawing", () => {
    const [bar] = barsOf([0, 1], [0, 0]).bars;
    expect(bar?.up).toBeLessThan(0.3);
  });
});

describe("linePoints", () => {
  it("goes from the left to the right, the highest value at the top", () => {
    expect(linePoints([0, 5, 10], 100, 20)).toBe("0.00,20.00 50.00,10.00 100.00,0.00");
  });

  it("lies at the bottom while nothing waits", () => {
    expect(linePoints([0, 0], 100, 20)).toBe("0.00,20.00 100.00,20.00");
  });
});
