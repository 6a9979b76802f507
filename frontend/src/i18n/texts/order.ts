// Texts of the order page.
export const cs = {
  "orderPage.title": "Objednávka {number}",
} as const;

export const en = {
  "orderPage.title": "Order {number}",
} as const;
