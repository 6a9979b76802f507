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

/** The API says for how long the hub takes the cookie. */
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
  it("opens one stream for all that listen, with the cookie", () => {
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

  it("closes the line with its last listener", () => {
    const first = listen();
    const second = listen();
    first.unmount();
    expect(FakeEventSource.latest.readyState).not.toBe(FakeEventSource.CLOSED);
    second.unmount();
    expect(FakeEventSource.latest.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("gives on the hub's updates and leaves out what it does not know", () => {
    const { onEvent } = listen();
    FakeEventSource.latest.send({ type: "list_update" });
    FakeEventSource.latest.send("not JSON");
    FakeEventSource.latest.send({ type: "weather" });
    FakeEventSource.latest.send("null");
    expect(onEvent.mock.calls).toEqual([[{ type: "list_update" }]]);
  });

  it("says live, reconnecting and live again, and tells of every opening", async () => {
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

  it("opens nothing while nobody is signed in, and closes when nobody is any more", () => {
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

  it("renews the cookie and opens a new line after a fatal close, from the last event on", async () => {
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

  it("says offline when it stays away, until it is live", async () => {
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

  it("opens anew when the network is back", () => {
    listen();
    FakeEventSource.latest.open();
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    expect(FakeEventSource.opened).toHaveLength(2);
  });

  it("opens anew after sleep", async () => {
    listen();
    FakeEventSource.latest.open();
    vi.setSystemTime(Date.now() + 600_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(FakeEventSource.opened).toHaveLength(2);
  });
});

/** Time in which the hub sends its heartbeats. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 15_000) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 15_000));
    for (const source of FakeEventSource.opened)
      if (source.readyState === FakeEventSource.OPEN) source.beat();
  }
}

describe("a connection that dies silently", () => {
  it("is given up after 45 s without a sign of life, and what is on screen is refetched", async () => {
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

  it("is told from one on which only nothing happens", async () => {
    const { onEvent } = listen();
    FakeEventSource.latest.open();
    await pass(600_000);
    expect(FakeEventSource.opened).toHaveLength(1);
    expect(onEvent).not.toHaveBeenCalled();
  });

  it("is opened anew where the opening itself is never answered", async () => {
    listen();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(FakeEventSource.opened[0]?.readyState).toBe(FakeEventSource.CLOSED);
  });
});

/** What the session's answer does. */
function renewing(seconds: number): void {
  renew.mockImplementation(() => {
    cookieFor(seconds);
    return Promise.resolve(caller);
  });
}

describe("the hub's cookie", () => {
  it("is renewed at half of its life, and a new line is open before the old one is closed", async () => {
    cookieFor(600);
    renewing(600);
    const { result, onEvent, onOpen } = listen();
    const first = FakeEventSource.latest;
    first.open();
    first.send({ type: "list_update" }, "urn:uuid:7");
    await pass(299_000);
    expect(renew).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    expect(renew).toHaveBeenCalledOnce();
    const second = FakeEventSource.latest;
    expect(second).not.toBe(first);
    expect(second.url).toContain("lastEventID=urn%3Auuid%3A7");
    // The old one is listened to until the new one is open, which is no news for the light.
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
    // And so on.
    await pass(301_000);
    expect(FakeEventSource.opened).toHaveLength(3);
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3Auuid%3A9");
  });

  it("is not asked for where another answer has brought a new one", async () => {
    cookieFor(600);
    listen();
    FakeEventSource.latest.open();
    await pass(200_000);
    cookieFor(600);
    await pass(101_000);
    expect(renew).not.toHaveBeenCalled();
    expect(FakeEventSource.opened).toHaveLength(2);
  });

  it("is asked for again where there was no answer, and the line stays meanwhile", async () => {
    cookieFor(100);
    renew.mockRejectedValueOnce(new Error("away"));
    const { result } = listen();
    const first = FakeEventSource.latest;
    first.open();
    await pass(51_000);
    expect(renew).toHaveBeenCalledOnce();
    expect(FakeEventSource.opened).toHaveLength(1);
    renewing(100);
    await pass(16_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(first.readyState).toBe(FakeEventSource.OPEN);
    // A hub that refuses the new line does not take the old one away.
    FakeEventSource.latest.fail(FakeEventSource.CLOSED);
    expect(first.readyState).toBe(FakeEventSource.OPEN);
    expect(result.current).toBe("live");
    await pass(16_000);
    expect(FakeEventSource.opened).toHaveLength(3);
  });

  it("is renewed before the line is opened after a long sleep", async () => {
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

  it("is left alone once nobody listens", async () => {
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
  it("grows, stays below two seconds for minutes, and then is patient", () => {
    expect(retryDelay(0, 1)).toBe(250);
    expect(retryDelay(2, 1)).toBe(1000);
    expect(retryDelay(20, 1)).toBe(1500);
    expect(retryDelay(20, 0)).toBe(1125);
    expect(retryDelay(81, 1)).toBe(10_000);
  });
});
