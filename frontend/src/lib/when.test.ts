import { describe, expect, it } from "vitest";
import { when } from "./when";

const NOW = new Date(2026, 10, 23, 15, 0).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe("when", () => {
  it.each([
    [at(2026, 10, 23, 15, 0), "just now"],
    [at(2026, 10, 23, 14, 54), "6 min. ago"],
    [at(2026, 10, 23, 9, 5), "today 09:05 AM"],
    [at(2026, 10, 21, 9, 5), "11/21, 09:05 AM"],
    [at(2025, 10, 21, 9, 5), "11/21/2025"],
  ])("formats %s as %s", (time, text) => {
    expect(when(time, NOW, "en")).toBe(text);
  });

  it("never returns a future time when clocks differ", () => {
    expect(when(at(2026, 10, 23, 15, 1), NOW, "cs")).toBe("právě teď");
  });
});
