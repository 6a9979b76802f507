import { expect, it } from "vitest";
import { translate } from "@/i18n/translate";
import type { Translate } from "@/i18n/context";
import { costText, money } from "./cost";

const cs: Translate = (key, values) => translate("cs", key, values);
const en: Translate = (key, values) => translate("en", key, values);

/** Plain spaces instead of the non-breaking ones of the catalogue and of `Intl`. */
const plain = (text: string) => text.replace(/\u00a0/g, " ");

it("numbers and cost are in the language", () => {
  const estimate = { pages: 1312, svgs: 2, cost: "45.92", currency: "CZK" };
  expect(plain(costText(estimate, cs, "cs"))).toBe(
    "Spustí se: 1 312 omalovánek a 2 SVG. Odhadovaná cena: 45,92 Kč.",
  );
  expect(plain(costText({ ...estimate, currency: "USD" }, en, "en"))).toBe(
    "This starts 1,312 pages and 2 SVGs. Estimated cost: $45.92.",
  );
});

it("without a price there is the number alone", () => {
  const estimate = { pages: 0, svgs: 3, cost: null, currency: "USD" };
  expect(plain(costText(estimate, cs, "cs"))).toBe("Spustí se: 3 SVG.");
  expect(plain(costText({ ...estimate, pages: 1, svgs: 0 }, en, "en"))).toBe("This starts 1 page.");
});

it("an amount that no floating-point number holds stays exact", () => {
  expect(money("90071992547409.93", "USD", "en")).toBe("$90,071,992,547,409.93");
});
