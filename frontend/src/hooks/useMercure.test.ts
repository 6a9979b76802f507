import { renderHook } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useConnection } from "@/lib/connection";
import { forgetHubCookie, noteHubCookie } from "@/lib/hubCookie";
import { retryDelay } from "@/lib/hubStream";
import { FakeEventSource } from "@/test/FakeEventSource";
import { useMercure } from "./useMercure";
import { SessionContext, useSession, type SessionState } from "./useSession";

const renew = vi.fn<SessionState["renew"]>();
let caller: SessionState["caller"];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  caller = { name: "Jana", kind: "user", role: "operator" };
  renew.mockReset().mockResolvedValue(caller);
});

/** A response of the API with the lifetime of the hub's cookie. */
function cookieFor(seconds: number): void {
  noteHubCookie(new Response(null, { headers: { "Mercure-Max-Age": String(seconds) } }));
}

function Signed({ children }: { children: ReactNode }) {
  const session = { ...useSession(), caller, renew };
  return createElement(SessionContext, { value: session }, children);
}

afterEach(() => {
  forgetHubCookie();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function listen() {
  const onEvent = vi.fn();
  const onOpen = vi.fn();
  const hook = renderHook(
    () => {
      useMercure({ onEvent, onOpen });
      return useConnection();
    },
    { wrapper: Signed },
  );
  return { ...hook, onEvent, onOpen };
}

describe("useMercure", () => {
  it("opens one stream with credentials for all listeners", () => {
    listen();
    listen();
    expect(FakeEventSource.opened).toHaveLength(1);
    expect(FakeEventSource.latest.withCredentials).toBe(true);
    const { pathname, searchParams } = new URL(FakeEventSource.latest.url, location.origin);
    expect(pathname).toBe("/.well-known/mercure");
    expect(searchParams.getAll("topic")).toEqual(["orders", "orders/{order_number}", "heartbeat"]);
  });

  it("opens nothing while it is not enabled", () => {
    renderHook(() => useMercure({ enabled: false }));
    expect(FakeEventSource.opened).toHaveLength(0);
  });

  it("closes the stream with its last listener", () => {
    const first = listen();
    const second = listen();
    first.unmount();
    expect(FakeEventSource.latest.readyState).not.toBe(FakeEventSource.CLOSED);
    second.unmount();
    expect(FakeEventSource.latest.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("forwards the hub's updates and ignores unknown ones", () => {
    const { onEvent } = listen();
    FakeEventSource.latest.send({ type: "list_update" });
    FakeEventSource.latest.send("not JSON");
    FakeEventSource.latest.send({ type: "weather" });
    FakeEventSource.latest.send("null");
    expect(onEvent.mock.calls).toEqual([[{ type: "list_update" }]]);
  });

  it("reports live, reconnecting and live again, and calls onOpen at every opening", async () => {
    const { result, onOpen } = listen();
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

  it("opens nothing while no user is signed in, and closes after the user signed out", () => {
    caller = null;
    const { rerender } = listen();
    expect(FakeEventSource.opened).toHaveLength(0);
    caller = { name: "Jana", kind: "user", role: "viewer" };
    rerender();
    expect(FakeEventSource.opened).toHaveLength(1);
    caller = null;
    rerender();
    expect(FakeEventSource.latest.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("renews the cookie and reopens the stream after the last event when it was closed fatally", async () => {
    const { onOpen } = listen();
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:uuid:7");
    FakeEventSource.latest.fail(FakeEventSource.CLOSED);
    await vi.advanceTimersByTimeAsync(300);
    expect(renew).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(FakeEventSource.opened).toHaveLength(2));
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3Auuid%3A7");
    FakeEventSource.latest.open();
    expect(onOpen).toHaveBeenCalledTimes(2);
  });

  it("does not wait long for the browser's own reconnect", async () => {
    listen();
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(FakeEventSource.opened[0]?.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("reports offline after a while, until it is live", async () => {
    const { result } = listen();
    FakeEventSource.latest.open();
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    await vi.advanceTimersByTimeAsync(10_500);
    await vi.waitFor(() => expect(result.current).toBe("offline"));
    FakeEventSource.latest.fail(FakeEventSource.CONNECTING);
    expect(result.current).toBe("offline");
    FakeEventSource.latest.open();
    await vi.waitFor(() => expect(result.current).toBe("live"));
  });

  it("reopens the stream when the network returns", () => {
    listen();
    FakeEventSource.latest.open();
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    expect(FakeEventSource.opened).toHaveLength(2);
  });

  it("reopens the stream after the machine slept", async () => {
    listen();
    FakeEventSource.latest.open();
    vi.setSystemTime(Date.now() + 600_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(FakeEventSource.opened).toHaveLength(2);
  });
});

/** Advances the time while the hub sends heartbeats. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 15_000) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 15_000));
    for (const source of FakeEventSource.opened)
      if (source.readyState === FakeEventSource.OPEN) source.beat();
  }
}

describe("a connection that dies silently", () => {
  it("is reopened after 45 s without a message, and the page is refetched", async () => {
    const { result, onOpen } = listen();
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:uuid:7");
    FakeEventSource.latest.beat("urn:uuid:8");
    await vi.advanceTimersByTimeAsync(44_000);
    expect(FakeEventSource.opened).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(6000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(FakeEventSource.opened[0]?.readyState).toBe(FakeEventSource.CLOSED);
    await vi.waitFor(() => expect(result.current).toBe("reconnecting"));
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3Auuid%3A8");
    FakeEventSource.latest.open();
    await vi.waitFor(() => expect(result.current).toBe("live"));
    expect(onOpen).toHaveBeenCalledTimes(2);
  });

  it("is distinguished from an idle one", async () => {
    const { onEvent } = listen();
    FakeEventSource.latest.open();
    await pass(600_000);
    expect(FakeEventSource.opened).toHaveLength(1);
    expect(onEvent).not.toHaveBeenCalled();
  });

  it("is reopened if the opening gets no response", async () => {
    listen();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(FakeEventSource.opened[0]?.readyState).toBe(FakeEventSource.CLOSED);
  });
});

/** Makes the session's response set a cookie for `seconds`. */
function renewing(seconds: number): void {
  renew.mockImplementation(() => {
    cookieFor(seconds);
    return Promise.resolve(caller);
  });
}

describe("the hub's cookie", () => {
  it("is renewed at a third of its lifetime, and a new stream opens before the old one closes", async () => {
    cookieFor(600);
    renewing(600);
    const { result, onEvent, onOpen } = listen();
    const first = FakeEventSource.latest;
    first.open();
    first.send({ type: "list_update" }, "urn:uuid:7");
    await pass(199_000);
    expect(renew).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    expect(renew).toHaveBeenCalledOnce();
    const second = FakeEventSource.latest;
    expect(second).not.toBe(first);
    expect(second.url).toContain("lastEventID=urn%3Auuid%3A7");
    // The old stream delivers until the new one is open; the connection light does not change.
    first.send({ type: "order_update" }, "urn:uuid:8");
    second.open();
    second.send({ type: "image_status" }, "urn:uuid:9");
    expect(first.readyState).toBe(FakeEventSource.CLOSED);
    expect(onEvent.mock.calls.map(([event]: { type: string }[]) => event?.type)).toEqual([
      "list_update",
      "order_update",
      "image_status",
    ]);
    expect(onOpen).toHaveBeenCalledTimes(2);
    expect(result.current).toBe("live");
    // The next renewal.
    await pass(201_000);
    expect(FakeEventSource.opened).toHaveLength(3);
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3Auuid%3A9");
  });

  it("is not renewed if another response has set a new one", async () => {
    cookieFor(600);
    listen();
    FakeEventSource.latest.open();
    await pass(150_000);
    cookieFor(600);
    await pass(51_000);
    expect(renew).not.toHaveBeenCalled();
    expect(FakeEventSource.opened).toHaveLength(2);
  });

  it("is requested again after a failure, and the stream stays open meanwhile", async () => {
    cookieFor(100);
    renew.mockRejectedValueOnce(new Error("away"));
    const { result } = listen();
    const first = FakeEventSource.latest;
    first.open();
    await pass(34_000);
    expect(renew).toHaveBeenCalledOnce();
    expect(FakeEventSource.opened).toHaveLength(1);
    renewing(100);
    await pass(16_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(first.readyState).toBe(FakeEventSource.OPEN);
    // If the hub refuses the new stream, the old one stays open.
    FakeEventSource.latest.fail(FakeEventSource.CLOSED);
    expect(first.readyState).toBe(FakeEventSource.OPEN);
    expect(result.current).toBe("live");
    await pass(16_000);
    expect(FakeEventSource.opened).toHaveLength(3);
  });

  it("is renewed before the stream is reopened after a long sleep", async () => {
    cookieFor(600);
    listen();
    FakeEventSource.latest.open();
    let answer: () => void = () => undefined;
    renew.mockImplementation(
      () =>
        new Promise((resolve) => {
          answer = () => {
            cookieFor(600);
            resolve(caller);
          };
        }),
    );
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(renew).toHaveBeenCalledOnce();
    expect(FakeEventSource.opened).toHaveLength(1);
    answer();
    await vi.waitFor(() => expect(FakeEventSource.opened).toHaveLength(2));
  });

  it("is not renewed without listeners", async () => {
    cookieFor(600);
    const { unmount } = listen();
    FakeEventSource.latest.open();
    unmount();
    await vi.advanceTimersByTimeAsync(700_000);
    expect(renew).not.toHaveBeenCalled();
    expect(FakeEventSource.opened).toHaveLength(1);
  });
});

describe("retryDelay", () => {
  it("grows, stays below two seconds for minutes, and then becomes long", () => {
    expect(retryDelay(0, 1)).toBe(250);
    expect(retryDelay(2, 1)).toBe(1000);
    expect(retryDelay(20, 1)).toBe(1500);
    expect(retryDelay(20, 0)).toBe(1125);
    expect(retryDelay(81, 1)).toBe(10_000);
  });
});
