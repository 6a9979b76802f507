import { expect, it } from "vitest";
import { duration } from "./duration";

it.each([
  [-5, "0 s"],
  [12_900, "12 s"],
  [60_000, "1 min"],
  [125_000, "2 min 5 s"],
  [3 * 3_600_000 + 12 * 60_000 + 9000, "3 h 12 min"],
  [24 * 3_600_000, "1 d"],
  [(4 * 24 + 2) * 3_600_000, "4 d 2 h"],
])("formats %d ms as %s", (milliseconds, said) => {
  expect(duration(milliseconds)).toBe(said.replaceAll(/(\d) /g, "$1\u00a0"));
});
