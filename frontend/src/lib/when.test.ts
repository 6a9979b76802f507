import { describe, expect, it } from "vitest";
import { when } from "./when";

const NOW = new Date(2026, 10, 23, 15, 0).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe("when", () => {
  it.each([
    [at(2026, 10, 23, 15, 0), "just now"],
    [at(2026, 10, 23, 14, 54), "6 min. ago"],
    [at(2026, 10, 23, 9, 5), "today 09:05"],
    [at(2026, 10, 21, 9, 5), "2026-11-21 09:05"],
    [at(2025, 10, 21, 9, 5), "2025-11-21"],
  ])("formats %s as %s", (time, text) => {
    expect(when(time, NOW, "en")).toBe(text);
  });

  it("formats a day in Czech without a line break in it", () => {
    expect(when(at(2026, 10, 21, 9, 5), NOW, "cs")).toBe("21.\u00a011. 09:05");
    expect(when(at(2025, 10, 21, 9, 5), NOW, "cs")).toBe("21.\u00a011.\u00a02025");
  });

  it("never returns a future time when clocks differ", () => {
    expect(when(at(2026, 10, 23, 15, 1), NOW, "cs")).toBe("právě teď");
  });
});
