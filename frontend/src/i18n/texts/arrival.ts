// Texts of desktop notifications.
export const cs = {
  "arrival.switch": "Oznámení na ploše",
  "arrival.forbidden": "Prohlížeč oznámení nepovolil. Povolte je v nastavení stránky.",
  "arrival.attention": "Objednávka {number} vyžaduje zásah",
  "arrival.to_review": "Objednávka {number} je ke kontrole",
} as const;

export const en = {
  "arrival.switch": "Desktop notifications",
  "arrival.forbidden": "The browser did not allow notifications. Allow them in the settings of the page.",
  "arrival.attention": "Order {number} needs attention",
  "arrival.to_review": "Order {number} is to review",
} as const;
