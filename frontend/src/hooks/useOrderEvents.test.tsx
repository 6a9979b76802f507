import { QueryClientProvider, useQuery, type QueryClient } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { orderKey, orderQuery } from "@/lib/orderQuery";
import { createQueryClient } from "@/lib/queryClient";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, type WaitingRequest } from "@/test/fakeApi";
import { sampleImage, sampleOrder, sampleRow } from "@/test/samples";
import type { Image, Order } from "@/types";
import { useOrderEvents } from "./useOrderEvents";

const ORDER = "/api/v1/orders/1270";
let requests: WaitingRequest[];
let client: QueryClient;

const cachedImages = (): Image[] =>
  client.getQueryData<Order>(orderKey("1270"))?.line_items.flatMap((item) => item.images) ?? [];

beforeEach(() => {
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  requests = holdRequests();
});

afterEach(() => vi.unstubAllGlobals());

async function request(index: number): Promise<WaitingRequest> {
  return waitFor(() => {
    const found = requests[index];
    if (!found) throw new Error(`only ${requests.length} requests were made`);
    return found;
  });
}

async function openOrder() {
  client = createQueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const hook = renderHook(
    () => {
      const { data, isSuccess } = useQuery(orderQuery("1270"));
      useOrderEvents("1270", isSuccess);
      return data;
    },
    { wrapper },
  );
  (await request(0)).answer(sampleOrder("1270", [sampleImage(1, "queued"), sampleImage(2, "queued")]));
  await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1));
  return () => hook.result.current?.line_items[0]?.images.map((image) => image.versions.coloring[0]?.status);
}

function imageStatus(imageId: number, status: string) {
  const event = { type: "image_status", order_number: "1270", image_id: imageId, status_type: "coloring" };
  act(() => FakeEventSource.latest.send({ ...event, version_id: imageId * 10, status }));
}

describe("useOrderEvents", () => {
  it("fetches only the image of an image_status, and merges it into the order", async () => {
    const statuses = await openOrder();
    imageStatus(2, "processing");
    const single = await request(1);
    expect(single.path).toBe(`${ORDER}/images/2`);
    single.answer(sampleImage(2, "processing"));
    await waitFor(() => expect(statuses()).toEqual(["queued", "processing"]));
    expect(requests).toHaveLength(2);
  });

  it("drops an older response about an image that arrives after a newer one", async () => {
    const statuses = await openOrder();
    imageStatus(1, "processing");
    imageStatus(1, "runpod_queued");
    (await request(2)).answer(sampleImage(1, "runpod_queued"));
    await waitFor(() => expect(statuses()).toEqual(["runpod_queued", "queued"]));
    requests[1]?.answer(sampleImage(1, "processing"));
    // A later request's response proves that the old response was processed.
    imageStatus(2, "processing");
    (await request(3)).answer(sampleImage(2, "processing"));
    await waitFor(() => expect(statuses()?.[1]).toBe("processing"));
    expect(statuses()).toEqual(["runpod_queued", "processing"]);
  });

  it("keeps a newer image when an earlier request for the whole order completes after it", async () => {
    const statuses = await openOrder();
    act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1270" }));
    const whole = await request(1);
    expect(whole.path).toBe(ORDER);
    imageStatus(1, "runpod_processing");
    (await request(2)).answer(sampleImage(1, "runpod_processing"));
    await waitFor(() => expect(statuses()).toEqual(["runpod_processing", "queued"]));
    whole.answer(sampleOrder("1270", [sampleImage(1, "processing"), sampleImage(2, "processing")]));
    await waitFor(() => expect(statuses()).toEqual(["runpod_processing", "processing"]));
  });

  it("drops an image whose request started before that of the loaded order", async () => {
    const statuses = await openOrder();
    imageStatus(1, "processing");
    await request(1);
    act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1270" }));
    (await request(2)).answer(sampleOrder("1270", [sampleImage(1, "completed"), sampleImage(2, "queued")]));
    await waitFor(() => expect(statuses()).toEqual(["completed", "queued"]));
    requests[1]?.answer(sampleImage(1, "processing"));
    imageStatus(2, "processing");
    (await request(3)).answer(sampleImage(2, "processing"));
    await waitFor(() => expect(statuses()?.[1]).toBe("processing"));
    expect(statuses()).toEqual(["completed", "processing"]);
  });

  it("coalesces many order_updates into one refetch, and those during it into another", async () => {
    const statuses = await openOrder();
    const update = () =>
      act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1270" }));
    for (let count = 0; count < 20; count++) update();
    const first = await request(1);
    update();
    update();
    first.answer(sampleOrder("1270", [sampleImage(1, "processing"), sampleImage(2, "queued")]));
    (await request(2)).answer(sampleOrder("1270", [sampleImage(1, "completed"), sampleImage(2, "queued")]));
    await waitFor(() => expect(statuses()).toEqual(["completed", "queued"]));
    expect(requests).toHaveLength(3);
  });

  it("refetches the order whenever the stream opens, because updates may be missing", async () => {
    const statuses = await openOrder();
    act(() => FakeEventSource.latest.open());
    (await request(1)).answer(sampleOrder("1270", [sampleImage(1, "completed"), sampleImage(2, "error")]));
    await waitFor(() => expect(statuses()).toEqual(["completed", "error"]));
  });

  it("refetches the order when the image cannot be fetched", async () => {
    await openOrder();
    imageStatus(1, "processing");
    (await request(1)).answer(
      { title: "Not Found", detail: "gone", code: "image_not_found", status: 404 },
      404,
    );
    expect((await request(2)).path).toBe(ORDER);
  });

  it("ignores other orders' updates", async () => {
    const statuses = await openOrder();
    act(() => FakeEventSource.latest.send({ type: "image_status", order_number: "1271", image_id: 1 }));
    act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1271" }));
    // Requests for these would have started before the one for this order's own update.
    act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1270" }));
    (await request(1)).answer(sampleOrder("1270", [sampleImage(1, "completed"), sampleImage(2, "queued")]));
    await waitFor(() => expect(statuses()).toEqual(["completed", "queued"]));
    expect(requests.map(({ path }) => path)).toEqual([ORDER, ORDER]);
  });

  it("keeps the identity of the other images when one is merged", async () => {
    await openOrder();
    const before = cachedImages();
    imageStatus(2, "processing");
    (await request(1)).answer(sampleImage(2, "processing"));
    await waitFor(() => expect(cachedImages()[1]).not.toBe(before[1]));
    expect(cachedImages()[0]).toBe(before[0]);
  });

  it("fetches its row at a list_update, and the order only if the row is gone", async () => {
    await openOrder();
    act(() => FakeEventSource.latest.send({ type: "list_update" }));
    const there = await request(1);
    expect(there.path).toContain("/api/v1/orders?");
    there.answer({ items: [sampleRow("1270", 1)], next_cursor: null });
    act(() => FakeEventSource.latest.send({ type: "list_update" }));
    const gone = await request(2);
    expect(gone.path).toContain("/api/v1/orders?");
    gone.answer({ items: [], next_cursor: null });
    expect((await request(3)).path).toBe(ORDER);
  });
});
