import { describe, expect, it } from "vitest";
import { CATALOGUE } from "./catalogue";
import { translate } from "./translate";
import { COLORING_STATUS_DISPLAY, ORDER_STATUS_DISPLAY, SVG_STATUS_DISPLAY } from "@/types";

describe("translate", () => {
  it.each([
    [0, "0 fotek"],
    [1, "1 fotka"],
    [3, "3 fotky"],
    [5, "5 fotek"],
    [22, "22 fotek"],
  ])("selects the Czech plural of %i", (count, text) => {
    expect(translate("cs", "photos", { count })).toBe(text);
  });

  it("selects the English plural", () => {
    expect(translate("en", "photos", { count: 1 })).toBe("1 photo");
    expect(translate("en", "photos", { count: 2 })).toBe("2 photos");
  });

  it("keeps a placeholder without a value", () => {
    expect(translate("en", "orderPage.title")).toBe("Order {number}");
  });

  it("has the plan's Czech labels", () => {
    const maps = { coloring: COLORING_STATUS_DISPLAY, svg: SVG_STATUS_DISPLAY, order: ORDER_STATUS_DISPLAY };
    const texts: Record<string, unknown> = CATALOGUE.cs;
    for (const [kind, map] of Object.entries(maps))
      for (const [status, { label }] of Object.entries(map)) expect(texts[`${kind}.${status}`]).toBe(label);
  });

  it("has the same placeholders in both languages", () => {
    const places = (text: unknown) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g))].sort();
    for (const [key, text] of Object.entries(CATALOGUE.cs)) {
      const english: Record<string, unknown> = CATALOGUE.en;
      expect([key, places(english[key])]).toEqual([key, places(text)]);
    }
  });
});
