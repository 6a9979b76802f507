// Texts of the list of orders.
export const cs = {
  "list.title": "Objednávky",
} as const;

export const en = {
  "list.title": "Orders",
} as const;
