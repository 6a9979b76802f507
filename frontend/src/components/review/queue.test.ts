import { describe, expect, it } from "vitest";
import { image, page } from "@/components/order/test/orders";
import type { OrderImage } from "@/components/order/model";
import {
  defaultPick,
  isToReview,
  largeCandidates,
  leftOf,
  nextOrder,
  nextPlace,
  settle,
  stepFrom,
  turnFrom,
  upcoming,
  withPending,
  type Queue,
} from "./queue";

const NONE: ReadonlySet<number> = new Set();

/** An image with one page that is chosen, and approved on request. */
const waiting = (id: number, change: Partial<OrderImage> = {}): OrderImage =>
  image({
    id,
    versions: { coloring: [page(id * 10)], svg: [] },
    selected_version_ids: { coloring: id * 10, svg: null },
    ...change,
  });
const approved = (id: number): OrderImage => waiting(id, { approved_at: "2026-11-23T10:02:00+01:00" });

const QUEUE: Queue = [
  { orderNumber: "A", images: [waiting(1), approved(2), waiting(3)], listed: 9 },
  { orderNumber: "B", images: undefined, listed: 2 },
  { orderNumber: "C", images: [approved(7)], listed: 1 },
  { orderNumber: "D", images: [waiting(8)], listed: 0 },
];
const at = (orderNumber: string, imageId: number | null) => ({ orderNumber, imageId });

describe("the queue of the review", () => {
  it("counts a loaded order by its images, another by the list", () => {
    expect(leftOf(QUEUE, NONE)).toBe(2 + 2 + 0 + 1);
    expect(leftOf(QUEUE, new Set([1]))).toBe(4);
  });

  it("goes on in the order, then to the next that has a page, and around to what was passed by", () => {
    expect(nextPlace(QUEUE, null, NONE)).toEqual(at("A", 1));
    expect(nextPlace(QUEUE, at("A", 1), NONE)).toEqual(at("A", 3));
    expect(nextPlace(QUEUE, at("A", 3), NONE)).toEqual(at("B", null));
    expect(nextPlace(QUEUE, at("B", null), NONE)).toEqual(at("D", 8));
    expect(nextPlace(QUEUE, at("D", 8), new Set([8]))).toEqual(at("A", 1));
    const alone = QUEUE.slice(0, 1);
    expect(nextPlace(alone, at("A", 3), new Set([3]))).toEqual(at("A", 1));
    expect(nextPlace(alone, at("A", 3), new Set([1, 3]))).toBeNull();
  });

  it("keeps the state of a request that is on its way, whatever the server sends meanwhile", () => {
    const state = {
      approved_at: null,
      selected_version_ids: { coloring: 20, svg: null },
      rework_reason: null,
    };
    const pending = withPending(QUEUE, new Map([[2, state]]));
    expect(leftOf(pending, NONE)).toBe(leftOf(QUEUE, NONE) + 1);
    expect(pending[0]?.images?.[1]).toEqual(waiting(2, state));
    expect(pending[1]?.images).toBeUndefined();
    expect(withPending(QUEUE, new Map())).toBe(QUEUE);
  });

  it("keeps the shown image although it was approved", () => {
    expect(settle(QUEUE, at("A", 2), NONE)).toEqual(at("A", 2));
  });

  it("finds an image for an order, or goes on where there is none", () => {
    expect(settle(QUEUE, at("A", null), NONE)).toEqual(at("A", 1));
    expect(settle(QUEUE, at("B", null), NONE)).toEqual(at("B", null));
    expect(settle(QUEUE, at("C", null), NONE)).toEqual(at("D", 8));
    expect(settle(QUEUE, { ...at("C", null), stays: true }, NONE)).toEqual(at("C", 7));
    expect(settle(QUEUE, at("gone", 1), NONE)).toEqual(at("A", 1));
    expect(settle([], null, NONE)).toBeNull();
  });

  it("steps through approved images, too, and on to the next order", () => {
    expect(stepFrom(QUEUE, at("A", 1), 1)).toEqual(at("A", 2));
    expect(stepFrom(QUEUE, at("A", 3), 1)).toEqual({ ...at("B", null), stays: true });
    expect(stepFrom(QUEUE, at("A", 1), -1)).toBeNull();
    expect(turnFrom(QUEUE, at("C", 7), -1)).toEqual({ ...at("B", null), stays: true });
    expect(turnFrom(QUEUE, at("D", 8), 1)).toBeNull();
  });

  it("loads in advance what comes next", () => {
    expect(nextOrder(QUEUE, at("A", 1), NONE)).toBe("B");
    expect(nextOrder(QUEUE, at("C", 7), NONE)).toBe("D");
    expect(upcoming(QUEUE, at("A", 1), NONE, 3).map(({ id }) => id)).toEqual([3]);
    expect(upcoming(QUEUE, at("C", 7), NONE, 3).map(({ id }) => id)).toEqual([8, 1, 3]);
  });
});

describe("the candidates", () => {
  const pages = [1, 2, 3, 4, 5, 6].map((id) => page(id));
  const many = image({
    versions: { coloring: [...pages, page(7, { status: "error", url: null })], svg: [] },
    selected_version_ids: { coloring: 2, svg: null },
  });

  it("are the newest four, among them the picked one", () => {
    expect(largeCandidates(many, 6).map(({ id }) => id)).toEqual([3, 4, 5, 6]);
    expect(largeCandidates(many, 1).map(({ id }) => id)).toEqual([1, 4, 5, 6]);
  });

  it("begin with the chosen one as picked, or else the newest", () => {
    expect(defaultPick(many)).toBe(2);
    expect(defaultPick({ ...many, selected_version_ids: { coloring: null, svg: null } })).toBe(6);
    expect(defaultPick(image())).toBeNull();
  });

  it("are not to be reviewed if the chosen file was lost", () => {
    expect(isToReview(many, NONE)).toBe(true);
    expect(isToReview({ ...many, selected_version_ids: { coloring: 7, svg: null } }, NONE)).toBe(false);
  });
});
