import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useConnection } from "@/lib/connection";
import { retryDelay } from "@/lib/hubLine";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, type WaitingRequest } from "@/test/fakeApi";
import { useMercure } from "./useMercure";

let requests: WaitingRequest[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  requests = holdRequests();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function listen(topics: string[]) {
  const onEvent = vi.fn();
  const onOpen = vi.fn();
  const hook = renderHook(() => {
    useMercure(topics, { onEvent, onOpen });
    return useConnection();
  });
  return { ...hook, onEvent, onOpen };
}

describe("useMercure", () => {
  it("opens one line for the same topics, with the cookie", () => {
    listen(["orders", "orders/1270"]);
    listen(["orders", "orders/1270"]);
    expect(FakeEventSource.opened).toHaveLength(1);
    expect(FakeEventSource.latest.withCredentials).toBe(true);
    expect(FakeEventSource.latest.url).toBe("/.well-known/mercure?topic=orders&topic=orders%2F1270");
  });

  it("opens nothing while it is not enabled", () => {
    renderHook(() => useMercure(["orders"], { enabled: false }));
    expect(FakeEventSource.opened).toHaveLength(0);
  });

  it("closes the line with its last listener", () => {
    const first = listen(["orders"]);
    const second = listen(["orders"]);
    first.unmount();
    expect(FakeEventSource.latest.readyState).not.toBe(FakeEventSource.CLOSED);
    second.unmount();
    expect(FakeEventSource.latest.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("gives on the hub's updates and leaves out what it does not know", () => {
    const { onEvent } = listen(["orders"]);
    FakeEventSource.latest.send({ type: "list_update" });
    FakeEventSource.latest.send("not JSON");
    FakeEventSource.latest.send({ type: "weather" });
    FakeEventSource.latest.send("null");
    expect(onEvent.mock.calls).toEqual([[{ type: "list_update" }]]);
  });

  it("says live, reconnecting and live again, and tells of every opening", async () => {
    const { result, onOpen } = listen(["orders"]);
    expect(result.current).toBe("reconnecting");
    await vi.waitFor(() => FakeEventSource.latest.open());
    await vi.waitFor(() => expect(result.current).toBe("live"));
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    await vi.waitFor(() => expect(result.current).toBe("reconnecting"));
    FakeEventSource.latest.open();
    await vi.waitFor(() => expect(result.current).toBe("live"));
    expect(onOpen).toHaveBeenCalledTimes(2);
    expect(FakeEventSource.opened).toHaveLength(1);
  });

  it("renews the cookie and opens a new line after a fatal close, from the last event on", async () => {
    const { onOpen } = listen(["orders"]);
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:uuid:7");
    FakeEventSource.latest.fail(FakeEventSource.CLOSED);
    await vi.advanceTimersByTimeAsync(300);
    expect(requests.map((request) => request.path)).toEqual(["/api/v1/orders?limit=1"]);
    requests[0]?.answer({ items: [], next_cursor: null });
    await vi.waitFor(() => expect(FakeEventSource.opened).toHaveLength(2));
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3Auuid%3A7");
    FakeEventSource.latest.open();
    expect(onOpen).toHaveBeenCalledTimes(2);
  });

  it("does not wait long for the browser's own reconnect", async () => {
    listen(["orders"]);
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(FakeEventSource.opened[0]?.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("says offline when it stays away, until it is live", async () => {
    const { result } = listen(["orders"]);
    FakeEventSource.latest.open();
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    await vi.advanceTimersByTimeAsync(10_500);
    await vi.waitFor(() => expect(result.current).toBe("offline"));
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    expect(result.current).toBe("offline");
    FakeEventSource.latest.open();
    await vi.waitFor(() => expect(result.current).toBe("live"));
  });

  it("opens anew when the network is back", () => {
    listen(["orders"]);
    FakeEventSource.latest.open();
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    expect(FakeEventSource.opened).toHaveLength(2);
  });

  it("opens anew after sleep", async () => {
    listen(["orders"]);
    FakeEventSource.latest.open();
    vi.setSystemTime(Date.now() + 600_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(FakeEventSource.opened).toHaveLength(2);
  });
});

describe("retryDelay", () => {
  it("grows, stays below two seconds for minutes, and then is patient", () => {
    expect(retryDelay(0, 1)).toBe(250);
    expect(retryDelay(2, 1)).toBe(1000);
    expect(retryDelay(20, 1)).toBe(1500);
    expect(retryDelay(20, 0)).toBe(1125);
    expect(retryDelay(81, 1)).toBe(10_000);
  });
});
