import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OrderFilter } from "./api";
import { listKey, mergePage, placeRow, refreshList, refreshRow, type OrderListData } from "./orderList";
import { createQueryClient } from "./queryClient";
import { holdRequests, type WaitingRequest } from "@/test/fakeApi";
import { sampleRow } from "@/test/samples";

const ALL: OrderFilter = { q: "", stage: null };
const row = (id: number) => sampleRow(`${id}`, id);
const rows = (...ids: number[]) => ids.map(row);
const numbers = (pages: readonly { items: { order_number: string }[] }[]) =>
  pages.map((page) => page.items.map((item) => item.order_number));

describe("mergePage", () => {
  it("puts new orders first and keeps those that they pushed over the end", () => {
    const merged = mergePage(
      { items: rows(3, 2, 1), next_cursor: "c1" },
      { items: rows(4, 3, 2), next_cursor: "c2" },
    );
    expect(numbers([merged])).toEqual([["4", "3", "2", "1"]]);
    expect(merged.next_cursor).toBe("c1");
  });

  it("drops deleted orders", () => {
    const merged = mergePage(
      { items: rows(3, 2, 1), next_cursor: "c1" },
      { items: rows(3, 1, 0), next_cursor: "c0" },
    );
    expect(numbers([merged])).toEqual([["3", "1", "0"]]);
    expect(merged.next_cursor).toBe("c0");
  });

  it("replaces the last page entirely", () => {
    const merged = mergePage({ items: rows(3, 2), next_cursor: null }, { items: rows(3), next_cursor: null });
    expect(numbers([merged])).toEqual([["3"]]);
  });
});

describe("placeRow", () => {
  const pages = [
    { items: rows(9, 7), next_cursor: "c" },
    { items: rows(5, 3), next_cursor: "d" },
  ];

  it("replaces the row and keeps the identity of the others", () => {
    const placed = placeRow(pages, "5", sampleRow("5", 5, { coloring_completed: 2 }), ALL);
    expect(placed[1]?.items[0]?.coloring_completed).toBe(2);
    expect(placed[1]?.items[1]).toBe(pages[1]?.items[1]);
    expect(placed[0]).toBe(pages[0]);
  });

  it("inserts a new row at its position", () => {
    expect(numbers(placeRow(pages, "8", row(8), ALL))).toEqual([
      ["9", "8", "7"],
      ["5", "3"],
    ]);
    expect(numbers(placeRow(pages, "6", row(6), ALL))).toEqual([
      ["9", "7"],
      ["6", "5", "3"],
    ]);
  });

  it("ignores rows older than all loaded ones, and new rows during a search", () => {
    expect(numbers(placeRow(pages, "1", row(1), ALL))).toEqual(numbers(pages));
    expect(numbers(placeRow(pages, "8", row(8), { q: "jana", stage: null }))).toEqual(numbers(pages));
  });

  it("removes rows that are deleted or no longer match the filter", () => {
    expect(numbers(placeRow(pages, "7", null, ALL))).toEqual([["9"], ["5", "3"]]);
    expect(numbers(placeRow(pages, "7", row(7), { q: "", stage: "attention" }))).toEqual([["9"], ["5", "3"]]);
  });
});

describe("refreshing the cached list", () => {
  let requests: WaitingRequest[];
  const client = createQueryClient();
  const cached = () => client.getQueryData<OrderListData>(listKey(ALL))?.pages ?? [];

  beforeEach(() => {
    requests = holdRequests();
    client.setQueryData<OrderListData>(listKey(ALL), {
      pages: [
        { items: rows(109, 107), next_cursor: "c" },
        { items: rows(105), next_cursor: null },
      ],
      pageParams: [null, "c"],
    });
  });

  afterEach(() => vi.unstubAllGlobals());

  it("fetches one row by its number, and the right one of several with the same prefix", async () => {
    const refreshed = refreshRow(client, ALL, "107");
    expect(requests[0]?.path).toBe("/api/v1/orders?limit=10&q=107");
    requests[0]?.answer({
      items: [sampleRow("1070", 300), sampleRow("107", 107, { svg_completed: 2 })],
      next_cursor: null,
    });
    await refreshed;
    expect(cached()[0]?.items[1]?.svg_completed).toBe(2);
    expect(numbers(cached())).toEqual([["109", "107"], ["105"]]);
  });

  it("drops an older response about a row that arrives after a newer one", async () => {
    const answers = [refreshRow(client, ALL, "109"), refreshRow(client, ALL, "109")];
    requests[1]?.answer({ items: [sampleRow("109", 109, { svg_completed: 2 })], next_cursor: null });
    await answers[1];
    requests[0]?.answer({ items: [sampleRow("109", 109, { svg_completed: 1 })], next_cursor: null });
    await answers[0];
    expect(cached()[0]?.items[0]?.svg_completed).toBe(2);
  });

  it("refetches every loaded page in place", async () => {
    const refreshed = refreshList(client, ALL);
    requests[0]?.answer({ items: rows(111, 109), next_cursor: "b" });
    await vi.waitFor(() => expect(requests).toHaveLength(2), { timeout: 8000 });
    expect(requests[1]?.path).toBe("/api/v1/orders?limit=100&cursor=c");
    requests[1]?.answer({ items: [], next_cursor: null });
    await refreshed;
    expect(numbers(cached())).toEqual([["111", "109", "107"], []]);
  });
});
