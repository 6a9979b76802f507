import { expect, it } from "vitest";
import { sampleRow } from "@/test/samples";
import type { OrderListItem, OrderPage, Stage } from "@/types";
import { Arrivals, type Arrival } from "./arrivals";

const row = (number: string, stage: Stage, changes: Partial<OrderListItem> = {}) =>
  sampleRow(number, Number(number), { stage, ...changes });
const page = (items: OrderListItem[], next_cursor: string | null = null): OrderPage => ({
  items,
  next_cursor,
});
const numbers = (found: Arrival[]) => found.map(({ orderNumber, need }) => `${orderNumber} ${need}`);

it("an order that needed a person before did not come", () => {
  const arrivals = new Arrivals();
  expect(arrivals.note("1", row("1", "attention"))).toBeNull();
  expect(arrivals.replace([page([row("1", "attention")]), page([row("2", "to_review")])])).toEqual([]);
  expect(arrivals.note("1", row("1", "attention"))).toBeNull();
});

it("an order comes once for each time that it needs a person", () => {
  const arrivals = new Arrivals();
  arrivals.replace([]);
  expect(arrivals.note("1", row("1", "generating"))).toBeNull();
  expect(arrivals.note("1", row("1", "to_review"))).toMatchObject({ orderNumber: "1", need: "to_review" });
  expect(arrivals.note("1", row("1", "to_review"))).toBeNull();
  expect(arrivals.note("1", row("1", "attention"))?.need).toBe("attention");
  expect(arrivals.note("1", row("1", "approved"))).toBeNull();
  expect(arrivals.note("1", row("1", "to_review"))?.need).toBe("to_review");
  expect(arrivals.note("1", null)).toBeNull();
});

it("orders that came while the connection was down are found afterwards", () => {
  const arrivals = new Arrivals();
  arrivals.replace([page([row("1", "attention")])]);
  const found = arrivals.replace([page([row("1", "to_review"), row("2", "attention")])]);
  expect(numbers(found)).toEqual(["1 to_review", "2 attention"]);
});

it("a change of an order that is older than the loaded ones does not make it come", () => {
  const arrivals = new Arrivals();
  const at = (created_at: string) => ({ created_at });
  const newest = row("9", "to_review", at("2026-01-02T00:00:00+01:00"));
  arrivals.replace([page([newest], "more"), page([])]);
  const old = at("2026-01-01T22:59:59Z");
  expect(arrivals.note("1", row("1", "to_review", old))).toBeNull();
  // From now on it is known.
  expect(arrivals.note("1", row("1", "approved", old))).toBeNull();
  expect(arrivals.note("10", row("10", "attention", at("2026-01-02T00:00:01+01:00")))?.need).toBe(
    "attention",
  );
});
