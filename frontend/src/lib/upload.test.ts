import { describe, expect, it } from "vitest";
import { fileProgress } from "./upload";

describe("fileProgress", () => {
  it.each([
    [0, [0, 0]],
    [50, [0.5, 0]],
    [100, [1, 0]],
    [250, [1, 0.5]],
    [400, [1, 1]],
    [999, [1, 1]],
  ])("shares %i bytes among files in their order", (sent, shares) => {
    expect(fileProgress([100, 300], sent)).toEqual(shares);
  });

  it("does not divide by an empty file", () => {
    expect(fileProgress([0, 10], 5)).toEqual([1, 0.5]);
  });
});
