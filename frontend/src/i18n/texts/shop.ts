// Texts of the shop: fetching its orders, and the way to it.
export const cs = {
  "shop.open": "Otevřít ve Shopify",
  "shop.fetch": "Načíst z Shopify",
  "shop.fetching": "Načítání...",
  "shop.fetched": "Stahování objednávek ze Shopify...",
  "shop.fetchFailed": "Chyba při načítání z Shopify: {reason}",
  "shop.sync": "Stáhnout ze Shopify",
  "shop.synced": "Synchronizace spuštěna. Obrázky se stahují na pozadí.",
  "shop.syncFailed": "Chyba při synchronizaci: {reason}",
  "shop.unread": "Část objednávky z obchodu nešlo přečíst: {fields}",
  "error.shop_not_configured": "Obchod není připojený. Nastavte SHOPIFY_STORE_URL a SHOPIFY_ACCESS_TOKEN.",
  "error.order_not_of_shop": "Objednávka vznikla ručně, v obchodě není.",
  "error.photo_replaced": "Zákazník fotku mezitím vyměnil. Vygenerujte stránku z nové.",
} as const;

export const en = {
  "shop.open": "Open in Shopify",
  "shop.fetch": "Fetch from Shopify",
  "shop.fetching": "Fetching...",
  "shop.fetched": "Fetching orders from Shopify...",
  "shop.fetchFailed": "Could not fetch from Shopify: {reason}",
  "shop.sync": "Sync with Shopify",
  "shop.synced": "Sync started. Photos are being downloaded.",
  "shop.syncFailed": "Could not sync: {reason}",
  "shop.unread": "A part of the shop's order could not be read: {fields}",
  "error.shop_not_configured": "No shop is connected. Set SHOPIFY_STORE_URL and SHOPIFY_ACCESS_TOKEN.",
  "error.order_not_of_shop": "The order was made by hand; the shop does not have it.",
  "error.photo_replaced": "The customer replaced this photo meanwhile. Generate a page from the new one.",
} as const;
