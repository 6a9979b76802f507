import type { Translate } from "@/i18n/context";
import type { Language } from "@/i18n/catalogue";
import type { Estimate } from "./api";

/** A decimal number in a text as an amount of money; it never becomes a floating-point number. */
export function money(amount: string, currency: string, language: Language): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(amount as Intl.StringNumericLiteral);
}

/** What would be started, and its cost if the prices are known. */
export function costText(estimate: Estimate, t: Translate, language: Language): string {
  const { pages, svgs, cost, currency } = estimate;
  const counts = { pages: t("cost.pages", { count: pages }), svgs: t("cost.svgs", { count: svgs }) };
  const what = pages > 0 && svgs > 0 ? t("cost.both", counts) : svgs > 0 ? counts.svgs : counts.pages;
  const starts = t("cost.starts", { what });
  if (cost === null) return starts;
  return `${starts} ${t("cost.estimated", { cost: money(cost, currency, language) })}`;
}
