import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { MAX_JOINED, MAX_REASON, MAX_SELECTED } from "./limits";

interface Schema {
  maxItems?: number;
  maxLength?: number;
  anyOf?: Schema[];
}

const document = JSON.parse(readFileSync("../services/orders/openapi.json", "utf8")) as {
  components: { schemas: Record<string, { properties: Record<string, Schema> }> };
};

function property(model: string, name: string): Schema | undefined {
  const found = document.components.schemas[model]?.properties[name];
  return found?.anyOf?.[0] ?? found;
}

it("the limits are the API's", () => {
  expect(property("BooksRequest", "order_numbers")?.maxItems).toBe(MAX_JOINED);
  expect(property("DownloadRequest", "order_numbers")?.maxItems).toBe(MAX_JOINED);
  expect(property("EstimateRequest", "order_numbers")?.maxItems).toBe(MAX_SELECTED);
  expect(property("ReworkRequest", "reason")?.maxLength).toBe(MAX_REASON);
  expect(property("OrderPatch", "on_hold_reason")?.maxLength).toBe(MAX_REASON);
});
